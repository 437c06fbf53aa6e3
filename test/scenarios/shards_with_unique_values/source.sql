CREATE TABLE shards_with_unique_values (id INT PRIMARY KEY, code VARCHAR(10) NOT NULL);
INSERT INTO shards_with_unique_values VALUES (1,'a'), (2,'b'), (3,'c'), (4,'d');
