CREATE TABLE rule_ulp (id INT PRIMARY KEY, f DOUBLE PRECISION, s REAL);
INSERT INTO rule_ulp VALUES
  (1,0.1,0.1),
  (2,0.1,0.1),
  (3,1e300,-1),
  (4,0,0.1),
  (5,0,0);
