CREATE TABLE value_too_long (id INT PRIMARY KEY, v VARCHAR(3));
INSERT INTO value_too_long VALUES
  (1,'abc'),
  (2,'abc');
