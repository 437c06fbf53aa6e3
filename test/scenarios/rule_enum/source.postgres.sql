CREATE TABLE rule_enum (id INT PRIMARY KEY, state VARCHAR(20), step INT);
INSERT INTO rule_enum VALUES
  (1,'A',1),
  (2,'I',2),
  (3,'A',2),
  (4,'X',1),
  (5,'active',1),
  (6,NULL,3),
  (7,'A',NULL),
  (8,'A',1);
