CREATE TABLE boundary_rows (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO boundary_rows WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 30) SELECT n * 2, concat('v', n) FROM s;
