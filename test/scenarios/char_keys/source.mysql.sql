CREATE TABLE char_keys (k CHAR(5) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, n INT);
INSERT INTO char_keys VALUES
  ('a',1),
  ('bb',2),
  ('',3);
