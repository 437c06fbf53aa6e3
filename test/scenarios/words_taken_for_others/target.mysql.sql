CREATE TABLE words_taken_for_others (id INT PRIMARY KEY, e ENUM('new','paid') CHARACTER SET utf8mb4, s SET('a','b') CHARACTER SET utf8mb4);
INSERT INTO words_taken_for_others VALUES
  (1,'new','a,b'),
  (2,'new','a'),
  (3,'new','a');
