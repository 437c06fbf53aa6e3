CREATE TABLE keys_in_another_character_set (k VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_bin PRIMARY KEY, n INT);
INSERT INTO keys_in_another_character_set VALUES
  ('é',1),
  ('ÿ',2),
  ('a',3);
