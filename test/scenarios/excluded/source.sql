CREATE TABLE excluded (id INT PRIMARY KEY, a INT, seen_at VARCHAR(20));
INSERT INTO excluded VALUES
  (1,1,'x'),
  (2,2,'x'),
  (3,3,'x');
