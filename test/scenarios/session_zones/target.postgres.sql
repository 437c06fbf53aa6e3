SET TimeZone = 'Etc/GMT+8';
CREATE TABLE session_zones (id INT PRIMARY KEY, at TIMESTAMPTZ);
INSERT INTO session_zones VALUES
  (1,'2024-07-01 04:00:00'),
  (2,'2024-10-26 16:30:00'),
  (3,'2024-01-01 00:00:00'),
  (4,NULL);
