CREATE TABLE trailing_blanks (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, x TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci);
INSERT INTO trailing_blanks VALUES
  (1,'a ','x'),
  (2,'a','x'),
  (3,' ','x'),
  (4,'a','x'),
  (5,'a ','x ');
