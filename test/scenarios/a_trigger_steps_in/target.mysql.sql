CREATE TABLE a_trigger_steps_in (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO a_trigger_steps_in VALUES
  (1,'x'),
  (3,'y'),
  (4,'dee');
CREATE TRIGGER lower_insert BEFORE INSERT ON a_trigger_steps_in FOR EACH ROW SET NEW.v = LOWER(NEW.v);
CREATE TRIGGER lower_update BEFORE UPDATE ON a_trigger_steps_in FOR EACH ROW SET NEW.v = LOWER(NEW.v);
