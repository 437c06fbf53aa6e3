CREATE TABLE infinity (id INT PRIMARY KEY, d DATE, at TIMESTAMP);
INSERT INTO infinity VALUES
  (1,'-infinity',NULL),
  (2,NULL,NULL),
  (3,'0044-03-15',NULL),
  (4,NULL,'2024-01-01 00:00:00'),
  (5,NULL,NULL),
  (6,'infinity','-infinity');
