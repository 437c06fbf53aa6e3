CREATE TABLE rule_relative (id INT PRIMARY KEY, f DOUBLE PRECISION, d DECIMAL(30,6));
INSERT INTO rule_relative VALUES
  (1,1e300,100),
  (2,-1e-300,-100),
  (3,1000000,1),
  (4,1,100),
  (5,1,0),
  (6,1,NULL);
