CREATE TABLE empty_keys (a VARCHAR(10) COLLATE "C" NOT NULL, b BYTEA NOT NULL, n INT, PRIMARY KEY (a, b));
INSERT INTO empty_keys VALUES
  ('','',1),
  ('','\x00',2),
  ('x','',3);
