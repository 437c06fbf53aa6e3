CREATE TABLE bytes_filled_up (id INT PRIMARY KEY, b VARBINARY(8));
INSERT INTO bytes_filled_up VALUES
  (1,X'00010203'),
  (2,X'61'),
  (3,X'');
