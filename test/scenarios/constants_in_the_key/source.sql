CREATE TABLE constants_in_the_key (id BIGINT PRIMARY KEY, name VARCHAR(10));
INSERT INTO constants_in_the_key VALUES (1,'a'), (2,'b'), (3,'c'), (4,'d'), (5,'e'), (6,'f'), (7,'g'), (8,'h'), (9,'i');
