CREATE TABLE required_column_not_mapped (id INT PRIMARY KEY, v INT);
INSERT INTO required_column_not_mapped VALUES
  (1,1),
  (2,2);
