CREATE TABLE constants_blocked_by_another_shard (id INT PRIMARY KEY, code VARCHAR(10) NOT NULL);
INSERT INTO constants_blocked_by_another_shard VALUES (1,'a'), (2,'b'), (3,'c');
