CREATE TABLE rule_ulp_of_both_sizes (id INT PRIMARY KEY, v DOUBLE PRECISION);
INSERT INTO rule_ulp_of_both_sizes VALUES
  (1,0.1),
  (2,16777217),
  (3,0.1),
  (4,1e300);
