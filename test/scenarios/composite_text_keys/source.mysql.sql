CREATE TABLE composite_text_keys (a VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL, b VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL, n INT, PRIMARY KEY (a, b));
INSERT INTO composite_text_keys VALUES
  ('a,b','c',1),
  ('a','b,c',2),
  ('1:a','',3),
  ('','1:a',4),
  ('|','~',5),
  ('x','y',6),
  ('x','',7);
