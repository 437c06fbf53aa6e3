CREATE TABLE case_and_accents (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO case_and_accents VALUES
  (1,'anna'),
  (2,'café'),
  (3,'straße'),
  (4,U&'e\0301'),
  (5,'same');
