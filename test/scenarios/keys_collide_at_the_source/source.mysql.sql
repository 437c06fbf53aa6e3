CREATE TABLE keys_collide_at_the_source (k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY, n INT);
INSERT INTO keys_collide_at_the_source VALUES
  ('A',2),
  ('B',40),
  ('é',5);
