CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE loose_collation_keys (k TEXT COLLATE loose PRIMARY KEY, n INT);
INSERT INTO loose_collation_keys VALUES
  ('a',1),
  ('b',20),
  ('C',3);
