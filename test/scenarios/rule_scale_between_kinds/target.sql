CREATE TABLE rule_scale_between_kinds (id INT PRIMARY KEY, v DOUBLE PRECISION);
INSERT INTO rule_scale_between_kinds VALUES
  (1,0.10000000000000001),
  (2,1234567.891),
  (3,0.2),
  (4,NULL);
