CREATE TABLE constants_blocked_by_another_shard (shard INT NOT NULL, id INT NOT NULL, code VARCHAR(10) NOT NULL, PRIMARY KEY (shard, id), UNIQUE (code));
INSERT INTO constants_blocked_by_another_shard VALUES (0,1,'x'), (0,2,'b'), (1,1,'c'), (1,2,'a');
