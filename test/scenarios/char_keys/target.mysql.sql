CREATE TABLE char_keys (k CHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, n INT);
INSERT INTO char_keys VALUES
  ('a',10),
  ('b',2),
  ('',3);
