CREATE TABLE keys_with_control_characters (k VARCHAR(20) COLLATE "C" PRIMARY KEY, n INT);
INSERT INTO keys_with_control_characters VALUES
  ('a',1),
  ('a' || chr(1),2),
  ('a' || chr(31), 3),
  ('b',4),
  ('' || chr(9),5);
