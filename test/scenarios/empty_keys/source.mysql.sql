CREATE TABLE empty_keys (a VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, b VARBINARY(10) NOT NULL, n INT, PRIMARY KEY (a, b));
INSERT INTO empty_keys VALUES
  ('',X'',1),
  ('',X'00',2),
  ('x',X'',3);
