CREATE TABLE emoji_keys (k VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY, n INT);
INSERT INTO emoji_keys VALUES
  ('👎',1),
  ('👍a',20);
