CREATE TABLE text_keys_with_nul (k VARCHAR(20) COLLATE "C" PRIMARY KEY, n INT);
INSERT INTO text_keys_with_nul VALUES
  ('a',10),
  ('b',3),
  ('c',4);
