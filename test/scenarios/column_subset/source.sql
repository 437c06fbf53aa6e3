CREATE TABLE column_subset (id INT PRIMARY KEY, a INT, b INT, c INT);
INSERT INTO column_subset VALUES
  (1,1,1,1),
  (2,2,2,2),
  (3,3,3,3);
