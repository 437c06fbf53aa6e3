CREATE TABLE empty_target (id INT PRIMARY KEY, v VARCHAR(10));
INSERT INTO empty_target VALUES
  (1,'a'),
  (2,'b'),
  (3,'c'),
  (4,'d'),
  (5,'e'),
  (6,'f'),
  (7,'g'),
  (8,'h');
