CREATE TABLE rule_trim (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin);
INSERT INTO rule_trim VALUES
  (1,'a  '),
  (2,' a'),
  (3,'a\t'),
  (4,'  '),
  (5,NULL),
  (6,'b ');
