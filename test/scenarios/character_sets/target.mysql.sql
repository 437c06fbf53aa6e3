CREATE TABLE character_sets (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET utf8mb4);
INSERT INTO character_sets VALUES
  (1,'café'),
  (2,'ÿ§'),
  (3,'Ã©'),
  (4,'');
