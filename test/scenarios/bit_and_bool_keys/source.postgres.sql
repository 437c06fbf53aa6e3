CREATE TABLE bit_and_bool_keys (a BIT(8) NOT NULL, b BOOLEAN NOT NULL, n INT, PRIMARY KEY (a, b));
INSERT INTO bit_and_bool_keys VALUES
  (B'10000000',true,1),
  (B'00000001',false,2);
