CREATE TABLE rule_trim (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO rule_trim VALUES
  (1,'a  '),
  (2,' a'),
  (3,E'a\t'),
  (4,'  '),
  (5,NULL),
  (6,'b ');
