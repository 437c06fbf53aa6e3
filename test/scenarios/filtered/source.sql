CREATE TABLE filtered (id INT PRIMARY KEY, tenant INT NOT NULL, v INT);
INSERT INTO filtered VALUES
  (1,7,1),
  (2,7,1),
  (3,7,1),
  (4,8,1),
  (5,8,1);
