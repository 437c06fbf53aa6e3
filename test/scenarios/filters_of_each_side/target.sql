CREATE TABLE filters_of_each_side (id INT PRIMARY KEY, gone INT NOT NULL, v INT);
INSERT INTO filters_of_each_side VALUES
  (1,0,2),
  (3,5,9),
  (4,0,1);
