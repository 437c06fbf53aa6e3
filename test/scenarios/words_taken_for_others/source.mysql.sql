CREATE TABLE words_taken_for_others (id INT PRIMARY KEY, e VARCHAR(10) CHARACTER SET utf8mb4, s VARCHAR(10) CHARACTER SET utf8mb4);
INSERT INTO words_taken_for_others VALUES
  (1,'new','a,b'),
  (2,'NEW','a'),
  (3,'new','b,a');
