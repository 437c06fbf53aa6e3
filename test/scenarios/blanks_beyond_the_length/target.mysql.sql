CREATE TABLE blanks_beyond_the_length (id INT PRIMARY KEY, v VARCHAR(3), c CHAR(20));
INSERT INTO blanks_beyond_the_length VALUES
  (1,'abc','x'),
  (2,'abc','x'),
  (3,'a','x');
