CREATE TABLE not_a_number (id INT PRIMARY KEY, f DOUBLE, d DECIMAL(30,10));
INSERT INTO not_a_number VALUES
  (1,0,0),
  (2,0,0),
  (3,1,1),
  (4,NULL,1),
  (5,1.7976931348623157e308,1),
  (6,1,1);
