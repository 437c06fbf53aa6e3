CREATE TABLE times_beyond_a_day (id INT PRIMARY KEY, t TIME(6));
INSERT INTO times_beyond_a_day VALUES
  (1,'838:59:58'),
  (2,'838:59:59'),
  (3,'00:00:00'),
  (4,'00:00:01'),
  (5,'12:30:00.5'),
  (6,'00:00:00');
