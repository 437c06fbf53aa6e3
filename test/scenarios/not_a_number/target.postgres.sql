CREATE TABLE not_a_number (id INT PRIMARY KEY, f DOUBLE PRECISION, d NUMERIC);
INSERT INTO not_a_number VALUES
  (1,'NaN','NaN'),
  (2,0,0),
  (3,'-Infinity',1),
  (4,NULL,1),
  (5,'Infinity',1),
  (6,1,1);
