CREATE TABLE names_to_quote (`order` INT PRIMARY KEY, `select` INT, `a b` INT, `x.y` INT, `q"``q` INT, `100% ?` INT);
INSERT INTO names_to_quote VALUES
  (1,1,1,1,1,1),
  (2,1,1,1,1,1);
