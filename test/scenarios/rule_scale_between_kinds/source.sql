CREATE TABLE rule_scale_between_kinds (id INT PRIMARY KEY, v DECIMAL(20,6));
INSERT INTO rule_scale_between_kinds VALUES
  (1,0.1),
  (2,1234567.8914),
  (3,0.2006),
  (4,0.3);
