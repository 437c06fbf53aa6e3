CREATE TABLE text_the_other_side_cannot_hold (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin);
INSERT INTO text_the_other_side_cannot_hold VALUES
  (1,CONCAT('a', CHAR(0))),
  (2,CHAR(0)),
  (3,'b');
