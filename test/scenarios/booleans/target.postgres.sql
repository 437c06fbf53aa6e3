CREATE TABLE booleans (id INT PRIMARY KEY, b BOOLEAN);
INSERT INTO booleans VALUES
  (1,true),
  (2,true),
  (3,false),
  (4,NULL),
  (5,true),
  (6,NULL);
