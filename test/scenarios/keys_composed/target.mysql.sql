CREATE TABLE keys_composed (k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci PRIMARY KEY, n INT);
INSERT INTO keys_composed VALUES
  (_utf8mb4 X'65CC81',1),
  ('f',2);
