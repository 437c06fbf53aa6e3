CREATE TABLE numeric_keys_without_end (k NUMERIC PRIMARY KEY, n INT);
INSERT INTO numeric_keys_without_end VALUES
  ('NaN',1),
  (1e71,2),
  (1e-40,3),
  (1.5,4),
  (2,5),
  (0,6);
