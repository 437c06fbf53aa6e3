CREATE TABLE no_key (a INT, b INT);
INSERT INTO no_key VALUES
  (1,1);
