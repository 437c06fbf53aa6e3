CREATE TABLE json_without_the_rule (id INT PRIMARY KEY, j VARCHAR(100));
INSERT INTO json_without_the_rule VALUES
  (1,'{"a": 1, "b": [1, 2]}'),
  (2,'{"n": 1.0}'),
  (11,'{}'),
  (13,'x');
