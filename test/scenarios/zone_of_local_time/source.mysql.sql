CREATE TABLE zone_of_local_time (id INT PRIMARY KEY, at DATETIME(6));
INSERT INTO zone_of_local_time VALUES
  (1,'2024-07-01 14:00:00'),
  (2,'2024-01-01 13:00:00'),
  (3,'2024-10-27 02:30:00'),
  (4,'2024-10-27 02:30:00'),
  (5,'2024-03-31 02:30:00'),
  (6,'2024-07-01 12:00:00'),
  (7,NULL),
  (8,'2024-03-31 03:00:00');
