CREATE TABLE keys_in_latin1 (k VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_general_ci PRIMARY KEY, n INT);
INSERT INTO keys_in_latin1 VALUES
  ('é',1),
  ('ÿ',2),
  ('a',3),
  ('E',4);
