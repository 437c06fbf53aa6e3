CREATE TABLE excluded (id INT PRIMARY KEY, a INT, seen_at VARCHAR(20));
INSERT INTO excluded VALUES
  (1,1,'y'),
  (2,2,NULL);
