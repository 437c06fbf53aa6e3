CREATE TABLE character_sets (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO character_sets VALUES
  (1,'café'),
  (2,'ÿ§'),
  (3,'é'),
  (4,'');
