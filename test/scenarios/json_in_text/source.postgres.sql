CREATE TABLE json_in_text (id INT PRIMARY KEY, j TEXT);
INSERT INTO json_in_text VALUES
  (1,'{"a": 1, "b": [1, 2]}'),
  (2,'{"n": 1.0}'),
  (3,'{"n": 1}'),
  (4,'[1, 2]'),
  (5,'{"n": 9007199254740993}'),
  (6,'null'),
  (7,'"\u00e9"'),
  (8,'{"a": null}'),
  (9,'{"a": "1"}'),
  (10,'{"k": 1, "k": 2}'),
  (11,'{}'),
  (12,'1e2'),
  (13,'no json');
