CREATE TABLE tolerance_between_kinds (id INT PRIMARY KEY, v DECIMAL(20,6));
INSERT INTO tolerance_between_kinds VALUES
  (1,0.1),
  (2,1234567.891),
  (3,0.2),
  (4,NULL);
