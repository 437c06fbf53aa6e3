CREATE TABLE keys_sort_differently (k VARCHAR(20) COLLATE "C" PRIMARY KEY, n INT);
INSERT INTO keys_sort_differently VALUES
  ('b',2),
  ('B2',1),
  ('a',1),
  ('_',1),
  ('äx',2),
  ('y',1),
  ('Z9',1),
  ('10',1),
  ('8',1);
