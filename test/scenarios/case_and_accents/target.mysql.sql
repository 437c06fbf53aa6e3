CREATE TABLE case_and_accents (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci);
INSERT INTO case_and_accents VALUES
  (1,'anna'),
  (2,'café'),
  (3,'straße'),
  (4,_utf8mb4 X'65CC81'),
  (5,'same');
