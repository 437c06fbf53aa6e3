CREATE TABLE constants_outside_the_key (id INT PRIMARY KEY, name VARCHAR(10));
INSERT INTO constants_outside_the_key VALUES (1,'a'), (2,'b'), (3,'c');
