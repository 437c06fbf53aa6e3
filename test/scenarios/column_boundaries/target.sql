CREATE TABLE column_boundaries (id INT PRIMARY KEY, a VARCHAR(20), b VARCHAR(20));
INSERT INTO column_boundaries VALUES
  (1,'a','bc'),
  (2,'x',NULL),
  (3,'ab',''),
  (4,'12','3'),
  (5,'1','1:a|'),
  (6,'ab','c');
