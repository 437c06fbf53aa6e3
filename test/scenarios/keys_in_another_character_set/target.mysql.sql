CREATE TABLE keys_in_another_character_set (k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, n INT);
INSERT INTO keys_in_another_character_set VALUES
  ('é',10),
  ('þ',2),
  ('a',3);
