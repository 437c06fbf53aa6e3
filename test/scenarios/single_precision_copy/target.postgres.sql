CREATE TABLE single_precision_copy (id INT PRIMARY KEY, f REAL);
INSERT INTO single_precision_copy VALUES
  (1,0.5),
  (2,0.1);
