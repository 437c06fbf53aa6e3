CREATE TABLE filters_of_each_side (id INT PRIMARY KEY, gone INT NOT NULL, v INT);
INSERT INTO filters_of_each_side VALUES
  (1,0,1),
  (2,1,1),
  (3,1,1);
