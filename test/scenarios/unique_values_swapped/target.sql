CREATE TABLE unique_values_swapped (id INT PRIMARY KEY, u VARCHAR(10) UNIQUE);
INSERT INTO unique_values_swapped VALUES
  (1,'b'),
  (2,'a'),
  (3,'c'),
  (4,'e'),
  (5,'f'),
  (6,'d');
