CREATE TABLE enumeration_refuses_a_word (id INT PRIMARY KEY, e ENUM('new','paid') CHARACTER SET utf8mb4);
INSERT INTO enumeration_refuses_a_word VALUES
  (1,'new'),
  (2,'new');
