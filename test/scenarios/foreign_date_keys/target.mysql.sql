CREATE TABLE foreign_date_keys (d DATE PRIMARY KEY, n INT);
INSERT INTO foreign_date_keys VALUES
  ('2024-01-01',30),
  ('2024-02-28',4),
  ('2024-03-01',6),
  ('2024-06-01',8),
  ('9999-12-31',7);
