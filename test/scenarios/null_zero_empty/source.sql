CREATE TABLE null_zero_empty (id INT PRIMARY KEY, n INT, f DOUBLE PRECISION, d DECIMAL(10,2), v VARCHAR(10));
INSERT INTO null_zero_empty VALUES
  (1,NULL,1,1,'a'),
  (2,0,1,1,'a'),
  (3,1,NULL,1,'a'),
  (4,1,1,NULL,'a'),
  (5,1,1,1,NULL),
  (6,1,1,1,''),
  (7,1,1,1,NULL),
  (8,1,1,1,''),
  (9,1,1,1,'~'),
  (10,NULL,NULL,NULL,NULL),
  (11,NULL,NULL,NULL,NULL);
