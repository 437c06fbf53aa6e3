CREATE TABLE trailing_blanks (id INT PRIMARY KEY, v VARCHAR(20), x TEXT);
INSERT INTO trailing_blanks VALUES
  (1,'a ','x'),
  (2,'a','x'),
  (3,' ','x'),
  (4,'a','x'),
  (5,'a ','x ');
