CREATE TABLE constants_outside_the_key (id INT PRIMARY KEY, name VARCHAR(10), shard INT NOT NULL, UNIQUE (shard, id));
INSERT INTO constants_outside_the_key VALUES (1,'a',3), (2,'b',4), (4,'d',4);
