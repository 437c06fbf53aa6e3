CREATE TABLE uuid_keys_as_bytes (k BINARY(16) PRIMARY KEY, n INT);
INSERT INTO uuid_keys_as_bytes VALUES
  (UNHEX(REPLACE('00000000-0000-0000-0000-000000000001', '-', '')), 0),
  (UNHEX(REPLACE('0f000000-0000-4000-8000-00000000000a', '-', '')), 1),
  (UNHEX(REPLACE('a0000000-0000-4000-8000-000000000000', '-', '')), 2),
  (UNHEX(REPLACE('ffffffff-ffff-ffff-ffff-ffffffffffff', '-', '')), 3);
