CREATE TABLE numeric_keys_without_end (k DECIMAL(30,10) PRIMARY KEY, n INT);
INSERT INTO numeric_keys_without_end VALUES
  (1.5,40),
  (2,5),
  (0,6),
  (-1.5,7);
