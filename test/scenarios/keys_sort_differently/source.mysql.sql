CREATE TABLE keys_sort_differently (k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci PRIMARY KEY, n INT);
INSERT INTO keys_sort_differently VALUES
  ('b',1),
  ('B2',1),
  ('a',1),
  ('_',1),
  ('äx',1),
  ('z',1),
  ('Z9',1),
  ('10',1),
  ('9',1);
