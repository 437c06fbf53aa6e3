CREATE TABLE intervals_and_addresses (id INT PRIMARY KEY, i INTERVAL, a INET);
INSERT INTO intervals_and_addresses VALUES
  (1,'1 mon 2 days 03:04:05.6','::ffff:10.0.0.1'),
  (2,'30 days','10.0.0.1'),
  (3,'-1 day','10.0.0.1/24'),
  (4,'24:00:00','10.0.0.1'),
  (5,'00:00','2001:DB8:0::/32');
