CREATE TABLE filter_hides_the_copy (id INT PRIMARY KEY, tenant INT NOT NULL, v INT);
INSERT INTO filter_hides_the_copy VALUES
  (1,7,1),
  (2,7,1);
