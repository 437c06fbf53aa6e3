CREATE TABLE json_in_text (id INT PRIMARY KEY, j TEXT);
INSERT INTO json_in_text VALUES
  (1,'{"b":[1,2],"a":1}'),
  (2,'{"n": 1}'),
  (3,'{"n": 2}'),
  (4,'[2, 1]'),
  (5,'{"n": 9007199254740992}'),
  (6,NULL),
  (7,'"é"'),
  (8,'{}'),
  (9,'{"a": 1}'),
  (10,'{"k": 2}'),
  (11,'{ }'),
  (12,'100'),
  (13,'no  json');
