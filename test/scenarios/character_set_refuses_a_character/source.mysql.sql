CREATE TABLE character_set_refuses_a_character (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET utf8mb4);
INSERT INTO character_set_refuses_a_character VALUES
  (1,'a'),
  (2,'😀');
