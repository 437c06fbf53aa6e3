CREATE TABLE text_the_other_side_cannot_hold (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO text_the_other_side_cannot_hold VALUES
  (1,'a'),
  (3,'b');
