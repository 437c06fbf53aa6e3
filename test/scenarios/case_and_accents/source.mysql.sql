CREATE TABLE case_and_accents (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci);
INSERT INTO case_and_accents VALUES
  (1,'Anna'),
  (2,'cafe'),
  (3,'strasse'),
  (4,_utf8mb4 X'C3A9'),
  (5,'same');
