CREATE TABLE emoji (id INT PRIMARY KEY, v VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci);
INSERT INTO emoji VALUES
  (1,'👍'),
  (2,'👨‍👩‍👧'),
  (3,'👍🏽 ok'),
  (4,'a');
