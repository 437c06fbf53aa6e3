CREATE TABLE composite_text_keys (a VARCHAR(20) COLLATE "C" NOT NULL, b VARCHAR(20) COLLATE "C" NOT NULL, n INT, PRIMARY KEY (a, b));
INSERT INTO composite_text_keys VALUES
  ('a,b','c',1),
  ('a','b,c',20),
  ('1:a','',3),
  ('','1:a',40),
  ('~','|',5),
  ('x','y',6),
  ('x',' y',7);
