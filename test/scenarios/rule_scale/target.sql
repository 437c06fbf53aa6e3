CREATE TABLE rule_scale (id INT PRIMARY KEY, v DECIMAL(24,2));
INSERT INTO rule_scale VALUES
  (1,0),
  (2,0.01),
  (3,-0.01),
  (4,0.01),
  (5,99999999999999999999.12),
  (6,1),
  (7,0),
  (8,0);
