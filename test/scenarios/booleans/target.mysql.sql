CREATE TABLE booleans (id INT PRIMARY KEY, b TINYINT(1));
INSERT INTO booleans VALUES
  (1,1),
  (2,1),
  (3,0),
  (4,NULL),
  (5,1),
  (6,NULL);
