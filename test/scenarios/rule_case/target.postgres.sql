CREATE TABLE rule_case (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO rule_case VALUES
  (1,'aNNA'),
  (2,'été'),
  (3,'ete'),
  (4,'STRASSE'),
  (5,NULL);
