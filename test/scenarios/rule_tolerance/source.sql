CREATE TABLE rule_tolerance (id INT PRIMARY KEY, f DOUBLE PRECISION, d DECIMAL(20,6));
INSERT INTO rule_tolerance VALUES
  (1,1.0,1.0),
  (2,1.0,1.0),
  (3,1.0,1.0),
  (4,1.0,1.0),
  (5,0,1.0),
  (6,1e300,1);
