CREATE TABLE only_a_key (id INT PRIMARY KEY);
INSERT INTO only_a_key VALUES
  (1),
  (2),
  (3);
