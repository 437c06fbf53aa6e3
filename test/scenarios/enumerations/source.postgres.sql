CREATE TYPE state AS ENUM ('new', 'paid', '');
CREATE TABLE enumerations (id INT PRIMARY KEY, e state, s VARCHAR(10));
INSERT INTO enumerations VALUES
  (1,'new','a'),
  (2,'paid','a,b'),
  (3,'','b'),
  (4,NULL,NULL),
  (5,'new','');
