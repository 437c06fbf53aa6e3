CREATE TABLE separators (id INT PRIMARY KEY, a VARCHAR(40), b VARCHAR(40));
INSERT INTO separators VALUES
  (1,'a|1:b','c'),
  (2,'~|',NULL),
  (3,'|','||'),
  (4,'~','x'),
  (5,'3:abc|','3:abc|3:abc'),
  (6,'a,b','c'),
  (7,'|~|1:|','~');
