CREATE TABLE blobs (id INT PRIMARY KEY, b VARBINARY(40));
INSERT INTO blobs VALUES
  (1,X'00'),
  (2,X'FFFE'),
  (3,X''),
  (4,X'6100'),
  (5,X'C3'),
  (6,X'00FF00'),
  (7,NULL),
  (8,X'0A');
