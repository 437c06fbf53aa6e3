CREATE TABLE keys_composed (k VARCHAR(20) PRIMARY KEY, n INT);
INSERT INTO keys_composed VALUES
  (U&'\00E9',1),
  ('f',2);
