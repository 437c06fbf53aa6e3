CREATE TABLE singles (id INT PRIMARY KEY, f FLOAT);
INSERT INTO singles VALUES
  (1,-0.0),
  (2,0.1),
  (3,1e-45),
  (4,3.4028233e38),
  (5,16777217),
  (6,0.3),
  (7,NULL);
