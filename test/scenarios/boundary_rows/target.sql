CREATE TABLE boundary_rows (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO boundary_rows WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 30) SELECT n * 2, concat('v', n) FROM s;
-- 14, 28, 42 and 56 end the ranges.
DELETE FROM boundary_rows WHERE id IN (14, 42, 30);
UPDATE boundary_rows SET v = 'other' WHERE id IN (28, 56, 16, 2, 60);
INSERT INTO boundary_rows VALUES (27, 'x'), (29, 'x'), (57, 'x'), (1, 'x'), (61, 'x');
