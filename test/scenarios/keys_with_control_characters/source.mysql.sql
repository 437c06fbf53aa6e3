CREATE TABLE keys_with_control_characters (k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, n INT);
INSERT INTO keys_with_control_characters VALUES
  ('a',1),
  (CONCAT('a', CHAR(1)),2),
  (CONCAT('a', CHAR(31)), 3),
  ('b',4),
  (CONCAT('', CHAR(9)),5);
