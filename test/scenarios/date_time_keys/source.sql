CREATE TABLE date_time_keys (d DATE NOT NULL, t TIME(6) NOT NULL, n INT, PRIMARY KEY (d, t));
INSERT INTO date_time_keys VALUES
  ('2024-02-29','00:00:00',1),
  ('0001-01-01','12:00:00.5',2),
  ('9999-12-31','12:00:00',3);
