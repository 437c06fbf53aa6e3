CREATE TABLE rule_precision_of_a_narrower_copy (id INT PRIMARY KEY, at DATETIME(6));
INSERT INTO rule_precision_of_a_narrower_copy VALUES
  (1,'2024-07-01 12:00:00.4'),
  (2,'2023-12-31 23:59:59.7'),
  (3,'2024-07-01 12:00:00.4'),
  (4,'2024-07-01 12:00:00.000001');
