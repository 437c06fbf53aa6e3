CREATE TABLE singles (id INT PRIMARY KEY, f FLOAT);
INSERT INTO singles VALUES
  (1,0.0),
  (2,0.10000001),
  (3,0),
  (4,3.402823e38),
  (5,16777216),
  (6,0.3),
  (7,NULL);
