CREATE TABLE blobs (id INT PRIMARY KEY, b BYTEA);
INSERT INTO blobs VALUES
  (1, '\x00'),
  (2, '\xFFFE'),
  (3, ''),
  (4, '\x6100'),
  (5, '\xC3'),
  (6, '\x00FF00'),
  (7, NULL),
  (8, '\x0A');
