CREATE TABLE constants_in_the_key (region VARCHAR(10) NOT NULL, shard SMALLINT NOT NULL, id INT NOT NULL, name VARCHAR(10), PRIMARY KEY (region, shard, id));
INSERT INTO constants_in_the_key VALUES
  ('eu',3,1,'a'), ('eu',3,2,'z'), ('eu',3,4,'d'), ('eu',3,5,'e'), ('eu',3,6,NULL), ('eu',3,8,'h'), ('eu',3,11,'k'), ('eu',3,12,'l'),
  ('eu',2,1,'a'), ('eu',2,3,'c'), ('eu',2,20,'x'),
  ('eu',4,2,'b'), ('eu',4,9,'i'), ('eu',4,12,'other'),
  ('us',3,1,'other'), ('us',3,7,'g'), ('us',3,30,'y');
