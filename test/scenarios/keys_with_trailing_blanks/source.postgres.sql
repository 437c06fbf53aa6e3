CREATE TABLE keys_with_trailing_blanks (k VARCHAR(20) COLLATE "C" PRIMARY KEY, n INT);
INSERT INTO keys_with_trailing_blanks VALUES
  ('a ',1),
  ('b ',2),
  (' c',3);
