CREATE TABLE rule_bool_of_the_copy (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO rule_bool_of_the_copy VALUES
  (1,'Y'),
  (2,'yes'),
  (3,'1'),
  (4,'N'),
  (5,'no'),
  (6,'0'),
  (7,'Y'),
  (8,'no'),
  (9,'y'),
  (10,NULL);
