CREATE TABLE bytes_filled_up (id INT PRIMARY KEY, b BYTEA);
INSERT INTO bytes_filled_up VALUES
  (1,'\x00010203'),
  (2,'\x61'),
  (3,'');
