CREATE TABLE rule_case (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin);
INSERT INTO rule_case VALUES
  (1,'aNNA'),
  (2,'été'),
  (3,'ete'),
  (4,'STRASSE'),
  (5,NULL);
