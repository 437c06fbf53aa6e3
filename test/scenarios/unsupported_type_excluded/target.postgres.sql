CREATE TABLE unsupported_type_excluded (id INT PRIMARY KEY, p INT[], n INT);
INSERT INTO unsupported_type_excluded VALUES
  (1,'{2}',2);
