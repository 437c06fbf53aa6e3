CREATE TABLE constants_not_of_the_type (id INT PRIMARY KEY, n INT, shard SMALLINT);
