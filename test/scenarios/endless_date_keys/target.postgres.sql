CREATE TABLE endless_date_keys (d DATE PRIMARY KEY, n INT);
INSERT INTO endless_date_keys VALUES
  ('0044-03-15',50),
  ('2024-01-01',6),
  ('9999-12-30',8),
  ('9999-12-31',7);
