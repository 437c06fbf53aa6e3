CREATE TABLE bit_and_bool_keys (a BIT(8) NOT NULL, b TINYINT(1) NOT NULL, n INT, PRIMARY KEY (a, b));
INSERT INTO bit_and_bool_keys VALUES
  (b'10000000',1,10),
  (b'00000001',1,2);
