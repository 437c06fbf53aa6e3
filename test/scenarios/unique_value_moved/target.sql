CREATE TABLE unique_value_moved (id INT PRIMARY KEY, u VARCHAR(10) UNIQUE);
INSERT INTO unique_value_moved VALUES
  (1,'a'),
  (3,'c'),
  (4,'d');
