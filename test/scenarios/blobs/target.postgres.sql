CREATE TABLE blobs (id INT PRIMARY KEY, b BYTEA);
INSERT INTO blobs VALUES
  (1, ''),
  (2, '\xFFFF'),
  (3, NULL),
  (4, '\x61'),
  (5, '\xEFBFBD'),
  (6, '\x00FF00'),
  (7, NULL),
  (8, '\x0D0A');
