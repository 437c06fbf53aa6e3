CREATE TABLE a_trigger_steps_in (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO a_trigger_steps_in VALUES
  (1,'x'),
  (3,'y'),
  (4,'dee');
CREATE FUNCTION lower_v() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.v := lower(NEW.v); RETURN NEW; END $$;
CREATE TRIGGER lower_v BEFORE INSERT OR UPDATE ON a_trigger_steps_in FOR EACH ROW EXECUTE FUNCTION lower_v();
