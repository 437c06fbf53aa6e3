CREATE TABLE unique_pairs_in_a_circle (id INT PRIMARY KEY, a INT NOT NULL, b VARCHAR(10) NOT NULL, note VARCHAR(10), UNIQUE (a, b));
INSERT INTO unique_pairs_in_a_circle VALUES
  (1,1,'y','one'),
  (2,2,'x','two'),
  (3,2,'y','three'),
  (4,3,'x','four'),
  (5,1,'x','five');
