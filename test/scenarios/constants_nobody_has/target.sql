CREATE TABLE constants_nobody_has (id INT PRIMARY KEY, n INT, shard SMALLINT);
