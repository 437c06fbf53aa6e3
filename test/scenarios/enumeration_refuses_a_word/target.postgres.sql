CREATE TYPE state AS ENUM ('new', 'paid');
CREATE TABLE enumeration_refuses_a_word (id INT PRIMARY KEY, e state);
INSERT INTO enumeration_refuses_a_word VALUES
  (1,'new'),
  (2,'new');
