CREATE TABLE rule_ulp_of_both_sizes (id INT PRIMARY KEY, v FLOAT);
INSERT INTO rule_ulp_of_both_sizes VALUES
  (1,0.1),
  (2,16777218),
  (3,0.10000002),
  (4,3.4e38);
