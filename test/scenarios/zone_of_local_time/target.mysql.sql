SET time_zone = '+00:00';
CREATE TABLE zone_of_local_time (id INT PRIMARY KEY, at TIMESTAMP(6) NULL);
INSERT INTO zone_of_local_time VALUES
  (1,'2024-07-01 12:00:00'),
  (2,'2024-01-01 12:00:00'),
  (3,'2024-10-27 00:30:00'),
  (4,'2024-10-27 01:30:00'),
  (5,'2024-03-31 01:30:00'),
  (6,'2024-07-01 12:00:00'),
  (7,'2024-07-01 12:00:00'),
  (8,'2024-03-31 01:00:00');
