CREATE TABLE constants_of_every_kind (id INT PRIMARY KEY, name VARCHAR(10));
INSERT INTO constants_of_every_kind VALUES (1,'a'), (2,'b'), (3,'c'), (4,'d'), (5,'e'), (6,'f'), (7,'g'), (8,'h'), (9,'i');
