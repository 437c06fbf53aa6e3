CREATE TABLE single_precision_copy (id INT PRIMARY KEY, f DOUBLE);
INSERT INTO single_precision_copy VALUES
  (1,0.5),
  (2,0.1),
  (3,16777217);
