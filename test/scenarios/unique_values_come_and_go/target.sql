CREATE TABLE unique_values_come_and_go (id INT PRIMARY KEY, u INT UNIQUE, v VARCHAR(10) NOT NULL UNIQUE);
INSERT INTO unique_values_come_and_go VALUES
  (1,1,'b'),
  (2,2,'a'),
  (3,NULL,'d'),
  (4,3,'c');
