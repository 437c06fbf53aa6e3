CREATE TABLE decimal_keys (k BIGINT PRIMARY KEY, n INT);
INSERT INTO decimal_keys VALUES
  (1,10),
  (2,2),
  (10,4);
