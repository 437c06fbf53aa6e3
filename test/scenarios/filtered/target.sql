CREATE TABLE filtered (id INT PRIMARY KEY, tenant INT NOT NULL, v INT);
INSERT INTO filtered VALUES
  (1,7,1),
  (2,7,2),
  (4,8,9),
  (6,8,1),
  (7,7,1);
