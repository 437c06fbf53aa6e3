CREATE TABLE a_trigger_steps_in (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO a_trigger_steps_in VALUES
  (1,'Ann'),
  (2,'Bob'),
  (3,'Cid'),
  (4,'dee');
