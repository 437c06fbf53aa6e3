SET time_zone = '+05:30';
CREATE TABLE session_zones (id INT PRIMARY KEY, at TIMESTAMP(6) NULL);
INSERT INTO session_zones VALUES
  (1,'2024-07-01 17:30:00'),
  (2,'2024-10-27 06:00:00'),
  (3,'2024-01-01 00:00:00'),
  (4,NULL);
