CREATE TABLE shards_by_filter (id INT PRIMARY KEY, n INT, shard INT);
INSERT INTO shards_by_filter VALUES (1,1,0), (2,2,0), (4,1,0), (5,1,0), (101,1,1), (102,1,1);
