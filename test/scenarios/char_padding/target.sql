CREATE TABLE char_padding (id INT PRIMARY KEY, c CHAR(9));
INSERT INTO char_padding VALUES
  (1,'ab  '),
  (2,'  '),
  (3,'abc'),
  (4,NULL),
  (5,' ab');
