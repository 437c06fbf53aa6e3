CREATE TABLE keys_in_another_character_set (k VARCHAR(20) COLLATE "C" PRIMARY KEY, n INT);
INSERT INTO keys_in_another_character_set VALUES
  ('é',10),
  ('þ',2),
  ('a',3);
