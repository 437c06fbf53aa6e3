CREATE TABLE endless_date_keys (d DATE PRIMARY KEY, n INT);
INSERT INTO endless_date_keys VALUES
  ('-infinity',1),
  ('infinity',2),
  ('0044-03-15 BC',3),
  ('12024-01-01',4),
  ('0044-03-15',5),
  ('2024-01-01',6),
  ('9999-12-31',7);
