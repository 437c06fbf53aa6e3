CREATE TABLE shards_with_unique_values (shard INT NOT NULL, id INT NOT NULL, code VARCHAR(10) NOT NULL, PRIMARY KEY (shard, id), UNIQUE (shard, code));
INSERT INTO shards_with_unique_values VALUES (0,1,'b'), (0,2,'a'), (0,4,'c'), (1,1,'d'), (1,2,'b'), (1,3,'c'), (1,9,'a');
