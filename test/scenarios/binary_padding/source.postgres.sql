CREATE TABLE binary_padding (id INT PRIMARY KEY, b BYTEA);
INSERT INTO binary_padding VALUES
  (1, '\x61000000'),
  (2, '\x61000000'),
  (3, NULL);
