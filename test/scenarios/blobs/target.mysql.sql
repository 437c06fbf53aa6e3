CREATE TABLE blobs (id INT PRIMARY KEY, b VARBINARY(40));
INSERT INTO blobs VALUES
  (1,X''),
  (2,X'FFFF'),
  (3,NULL),
  (4,X'61'),
  (5,X'EFBFBD'),
  (6,X'00FF00'),
  (7,NULL),
  (8,X'0D0A');
