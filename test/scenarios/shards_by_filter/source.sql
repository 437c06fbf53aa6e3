CREATE TABLE shards_by_filter (id INT PRIMARY KEY, n INT);
INSERT INTO shards_by_filter VALUES (1,1), (2,1), (3,1), (12,1);
