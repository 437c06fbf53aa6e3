CREATE TABLE basics (id BIGINT PRIMARY KEY, name VARCHAR(20), n INT);
INSERT INTO basics VALUES
  (1,'one',1),
  (2,'two',2),
  (3,'three',3),
  (4,'four',4),
  (5,'five',5);
