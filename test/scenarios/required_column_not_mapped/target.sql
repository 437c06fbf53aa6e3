CREATE TABLE required_column_not_mapped (id INT PRIMARY KEY, v INT, region INT NOT NULL);
INSERT INTO required_column_not_mapped VALUES
  (1,1,1);
