CREATE TABLE single_against_double (id INT PRIMARY KEY, f REAL);
INSERT INTO single_against_double VALUES
  (1,0.5),
  (2,0.1),
  (3,16777216);
