CREATE TABLE negative_keys (id INT PRIMARY KEY, v INT);
INSERT INTO negative_keys VALUES
  (-10,1),
  (-9,1),
  (-2,1),
  (-1,1),
  (0,1),
  (1,1),
  (2,1),
  (10,1),
  (9,1);
