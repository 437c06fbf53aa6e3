CREATE TABLE text_keys_with_nul (k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin PRIMARY KEY, n INT);
INSERT INTO text_keys_with_nul VALUES
  ('a',1),
  (CONCAT('a', CHAR(0)),2),
  ('b',3);
