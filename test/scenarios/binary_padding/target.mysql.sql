CREATE TABLE binary_padding (id INT PRIMARY KEY, b BINARY(4));
INSERT INTO binary_padding VALUES
  (1,X'61000000'),
  (2,X'61000020'),
  (3,NULL);
