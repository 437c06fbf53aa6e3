CREATE TABLE unique_values_come_and_go (id INT PRIMARY KEY, u INT UNIQUE, v VARCHAR(10) NOT NULL UNIQUE);
INSERT INTO unique_values_come_and_go VALUES
  (1,NULL,'a'),
  (2,1,'b'),
  (3,2,'c'),
  (5,3,'d');
