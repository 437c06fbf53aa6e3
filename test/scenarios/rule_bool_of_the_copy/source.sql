CREATE TABLE rule_bool_of_the_copy (id INT PRIMARY KEY, v BOOLEAN);
INSERT INTO rule_bool_of_the_copy VALUES
  (1,TRUE),
  (2,TRUE),
  (3,TRUE),
  (4,FALSE),
  (5,FALSE),
  (6,FALSE),
  (7,FALSE),
  (8,TRUE),
  (9,TRUE),
  (10,FALSE);
