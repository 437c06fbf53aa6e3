CREATE TABLE keys_with_trailing_blanks (k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, n INT);
INSERT INTO keys_with_trailing_blanks VALUES
  ('a ',1),
  ('b ',2),
  (' c',3);
