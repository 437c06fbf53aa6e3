CREATE TABLE null_zero_empty (id INT PRIMARY KEY, n INT, f DOUBLE PRECISION, d DECIMAL(10,2), v VARCHAR(10));
INSERT INTO null_zero_empty VALUES
  (1,0,1,1,'a'),
  (2,NULL,1,1,'a'),
  (3,1,0,1,'a'),
  (4,1,1,0,'a'),
  (5,1,1,1,''),
  (6,1,1,1,' '),
  (7,1,1,1,'NULL'),
  (8,1,1,1,NULL),
  (9,1,1,1,NULL),
  (10,0,0,0,''),
  (11,NULL,NULL,NULL,NULL);
