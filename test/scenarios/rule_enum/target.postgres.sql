CREATE TABLE rule_enum (id INT PRIMARY KEY, state VARCHAR(20), step VARCHAR(20));
INSERT INTO rule_enum VALUES
  (1,'active','new'),
  (2,'inactive','paid'),
  (3,'inactive','new'),
  (4,'X','new'),
  (5,'active','new'),
  (6,'active','3'),
  (7,'active','');
