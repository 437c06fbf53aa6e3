CREATE TABLE decimal_keys (k DECIMAL(10,2) PRIMARY KEY, n INT);
INSERT INTO decimal_keys VALUES
  (1.00,1),
  (1.50,2),
  (-0.5,3),
  (10,4);
