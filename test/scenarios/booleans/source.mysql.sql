CREATE TABLE booleans (id INT PRIMARY KEY, b TINYINT(1));
INSERT INTO booleans VALUES
  (1,1),
  (2,0),
  (3,NULL),
  (4,0),
  (5,2),
  (6,NULL);
