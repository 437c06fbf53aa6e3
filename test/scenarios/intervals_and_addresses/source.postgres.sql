CREATE TABLE intervals_and_addresses (id INT PRIMARY KEY, i INTERVAL, a INET);
INSERT INTO intervals_and_addresses VALUES
  (1,'1 mon 2 days 03:04:05.6','::FFFF:10.0.0.1'),
  (2,'1 mon','10.0.0.1'),
  (3,'-1 day','10.0.0.1'),
  (4,'1 day','10.0.0.1'),
  (5,'0','2001:db8::/32');
