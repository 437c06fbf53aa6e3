CREATE TABLE rule_case (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin);
INSERT INTO rule_case VALUES
  (1,'Anna'),
  (2,'ÉTÉ'),
  (3,'été'),
  (4,'straße'),
  (5,'');
