CREATE TABLE enumerations (id INT PRIMARY KEY, e ENUM('','new','paid') CHARACTER SET utf8mb4, s SET('a','b') CHARACTER SET utf8mb4);
INSERT INTO enumerations VALUES
  (1,'new','a'),
  (2,'new','a,b'),
  (3,NULL,'a'),
  (4,NULL,NULL),
  (5,'paid','a');
