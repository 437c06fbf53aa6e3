CREATE TABLE uuid_values (id INT PRIMARY KEY, u UUID);
INSERT INTO uuid_values VALUES
  (1,'A0000000-0000-4000-8000-000000000000'),
  (2,'0f000000-0000-4000-8000-00000000000a'),
  (3,'ffffffff-ffff-ffff-ffff-ffffffffffff'),
  (4,NULL);
