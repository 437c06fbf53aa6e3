CREATE TABLE keys_differ_in_case (k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY, n INT);
INSERT INTO keys_differ_in_case VALUES
  ('Anna',1),
  ('bob',2),
  ('Carl',3);
