CREATE TABLE char_keys (k CHAR(5) COLLATE "C" PRIMARY KEY, n INT);
INSERT INTO char_keys VALUES
  ('a',1),
  ('bb',2),
  ('',3);
