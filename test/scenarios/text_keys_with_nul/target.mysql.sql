CREATE TABLE text_keys_with_nul (k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin PRIMARY KEY, n INT);
INSERT INTO text_keys_with_nul VALUES
  ('a',10),
  ('b',3),
  ('c',4);
