CREATE TYPE state AS ENUM ('new', 'paid', '');
CREATE TABLE enumerations (id INT PRIMARY KEY, e state, s VARCHAR(10));
INSERT INTO enumerations VALUES
  (1,'new','a'),
  (2,'new','a,b'),
  (3,NULL,'a'),
  (4,NULL,NULL),
  (5,'paid','a');
