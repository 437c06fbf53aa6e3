CREATE TABLE enumerations (id INT PRIMARY KEY, e ENUM('paid','new','') CHARACTER SET utf8mb4, s SET('a','b') CHARACTER SET utf8mb4);
INSERT INTO enumerations VALUES
  (1,'new','a'),
  (2,'paid','a,b'),
  (3,'','b'),
  (4,NULL,NULL),
  (5,'new','');
