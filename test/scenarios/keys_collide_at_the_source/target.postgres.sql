CREATE TABLE keys_collide_at_the_source (k VARCHAR(20) COLLATE "C" PRIMARY KEY, n INT);
INSERT INTO keys_collide_at_the_source VALUES
  ('a',1),
  ('A',2),
  ('A ',3),
  ('B',4),
  ('é',5),
  ('É',6);
