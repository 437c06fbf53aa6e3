CREATE TABLE enumeration_refuses_a_word (id INT PRIMARY KEY, e VARCHAR(20));
INSERT INTO enumeration_refuses_a_word VALUES
  (1,'new'),
  (2,'lost');
