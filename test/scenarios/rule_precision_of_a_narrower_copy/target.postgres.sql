CREATE TABLE rule_precision_of_a_narrower_copy (id INT PRIMARY KEY, at TIMESTAMP(0));
INSERT INTO rule_precision_of_a_narrower_copy VALUES
  (1,'2024-07-01 12:00:00'),
  (2,'2024-01-01 00:00:00'),
  (3,'2024-07-01 12:00:01');
