CREATE TABLE rule_enum (id INT PRIMARY KEY, state VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, step VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin);
INSERT INTO rule_enum VALUES
  (1,'active','new'),
  (2,'inactive','paid'),
  (3,'inactive','new'),
  (4,'X','new'),
  (5,'active','new'),
  (6,'active','3'),
  (7,'active','');
