CREATE TABLE emoji (id INT PRIMARY KEY, v VARCHAR(40));
INSERT INTO emoji VALUES
  (1,'👎'),
  (2,'👨👩👧'),
  (3,'👍🏽 ok'),
  (4,'😀');
