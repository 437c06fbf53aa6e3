CREATE TABLE rule_enum_of_one_type (id INT PRIMARY KEY, v INT);
INSERT INTO rule_enum_of_one_type VALUES
  (1,1),
  (2,2),
  (3,1),
  (4,2),
  (5,3);
