CREATE TABLE case_and_accents (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO case_and_accents VALUES
  (1,'Anna'),
  (2,'cafe'),
  (3,'strasse'),
  (4,U&'\00E9'),
  (5,'same');
