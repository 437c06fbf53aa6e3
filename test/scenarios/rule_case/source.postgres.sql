CREATE TABLE rule_case (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO rule_case VALUES
  (1,'Anna'),
  (2,'ÉTÉ'),
  (3,'été'),
  (4,'straße'),
  (5,'');
