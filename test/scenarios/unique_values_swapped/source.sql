CREATE TABLE unique_values_swapped (id INT PRIMARY KEY, u VARCHAR(10) UNIQUE);
INSERT INTO unique_values_swapped VALUES
  (1,'a'),
  (2,'b'),
  (3,'c'),
  (4,'d'),
  (5,'e'),
  (6,'f');
