CREATE TABLE tolerance_between_kinds (id INT PRIMARY KEY, v DOUBLE PRECISION);
INSERT INTO tolerance_between_kinds VALUES
  (1,0.1),
  (2,1234567.891),
  (3,0.2001),
  (4,0);
