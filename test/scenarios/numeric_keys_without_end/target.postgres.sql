CREATE TABLE numeric_keys_without_end (k NUMERIC PRIMARY KEY, n INT);
INSERT INTO numeric_keys_without_end VALUES
  (1.50,40),
  (2.0,5),
  (0,6),
  (-1.5,7);
