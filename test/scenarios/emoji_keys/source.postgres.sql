CREATE TABLE emoji_keys (k VARCHAR(40) PRIMARY KEY, n INT);
INSERT INTO emoji_keys VALUES
  ('👍',1),
  ('👍a',2);
