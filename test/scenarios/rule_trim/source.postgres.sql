CREATE TABLE rule_trim (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO rule_trim VALUES
  (1,'a'),
  (2,'a'),
  (3,'a'),
  (4,''),
  (5,''),
  (6,'a');
