CREATE TABLE keys_differ_in_case (k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY, n INT);
INSERT INTO keys_differ_in_case VALUES
  ('anna',1),
  ('bob',20),
  ('Carl',3);
