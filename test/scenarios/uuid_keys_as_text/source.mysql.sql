CREATE TABLE uuid_keys_as_text (k CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY, n INT);
INSERT INTO uuid_keys_as_text VALUES
  ('00000000-0000-0000-0000-000000000001', 0),
  ('0f000000-0000-4000-8000-00000000000a', 1),
  ('a0000000-0000-4000-8000-000000000000', 2),
  ('ffffffff-ffff-ffff-ffff-ffffffffffff', 3);
