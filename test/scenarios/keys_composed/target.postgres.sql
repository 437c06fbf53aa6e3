CREATE TABLE keys_composed (k VARCHAR(20) PRIMARY KEY, n INT);
INSERT INTO keys_composed VALUES
  (U&'e\0301',1),
  ('f',2);
