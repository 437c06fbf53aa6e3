CREATE TABLE renamed (id INT PRIMARY KEY, state VARCHAR(10), extra INT);
INSERT INTO renamed VALUES
  (1,'a',1),
  (2,'b',1),
  (3,'c',1);
