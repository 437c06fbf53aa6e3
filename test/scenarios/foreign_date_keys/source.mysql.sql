SET sql_mode = 'ALLOW_INVALID_DATES';
CREATE TABLE foreign_date_keys (d DATE PRIMARY KEY, n INT);
INSERT INTO foreign_date_keys VALUES
  ('0000-00-00',1),
  ('2024-00-15',2),
  ('2024-01-01',3),
  ('2024-02-28',4),
  ('2024-02-30',5),
  ('2024-03-01',6),
  ('9999-12-31',7);
