CREATE TABLE column_boundaries (id INT PRIMARY KEY, a VARCHAR(20), b VARCHAR(20));
INSERT INTO column_boundaries VALUES
  (1,'ab','c'),
  (2,NULL,'x'),
  (3,'','ab'),
  (4,'1','23'),
  (5,'1:a|','1'),
  (6,'ab','c');
