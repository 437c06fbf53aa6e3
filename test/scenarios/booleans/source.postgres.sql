CREATE TABLE booleans (id INT PRIMARY KEY, b BOOLEAN);
INSERT INTO booleans VALUES
  (1,true),
  (2,false),
  (3,NULL),
  (4,false),
  (5,true),
  (6,NULL);
