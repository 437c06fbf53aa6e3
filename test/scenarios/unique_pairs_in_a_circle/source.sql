CREATE TABLE unique_pairs_in_a_circle (id INT PRIMARY KEY, a INT NOT NULL, b VARCHAR(10) NOT NULL, note VARCHAR(10), UNIQUE (a, b));
INSERT INTO unique_pairs_in_a_circle VALUES
  (1,1,'x','one'),
  (2,1,'y','two'),
  (3,2,'x','three'),
  (4,2,'y','four'),
  (5,3,'x','five');
