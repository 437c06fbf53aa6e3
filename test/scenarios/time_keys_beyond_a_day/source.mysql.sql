CREATE TABLE time_keys_beyond_a_day (k TIME(6) PRIMARY KEY, n INT);
INSERT INTO time_keys_beyond_a_day VALUES
  ('-01:00:00',1),
  ('100:00:00',2),
  ('10:00:00',3),
  ('09:00:00',4);
