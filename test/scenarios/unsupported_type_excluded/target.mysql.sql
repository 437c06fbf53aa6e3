CREATE TABLE unsupported_type_excluded (id INT PRIMARY KEY, p POINT, n INT);
INSERT INTO unsupported_type_excluded VALUES
  (1,POINT(2,2),2);
