CREATE TABLE char_keys (k CHAR(9) COLLATE "C" PRIMARY KEY, n INT);
INSERT INTO char_keys VALUES
  ('a',10),
  ('b',2),
  ('',3);
