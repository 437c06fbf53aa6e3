CREATE TABLE time_keys_beyond_a_day (k TIME(6) PRIMARY KEY, n INT);
INSERT INTO time_keys_beyond_a_day VALUES
  ('10:00:00',30),
  ('09:00:00',4),
  ('23:00:00',5);
