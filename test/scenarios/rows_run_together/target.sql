CREATE TABLE rows_run_together (id INT PRIMARY KEY, v VARCHAR(40));
INSERT INTO rows_run_together VALUES
  (1,'a'),
  (2,'b|2|1:c'),
  (3,'11');
