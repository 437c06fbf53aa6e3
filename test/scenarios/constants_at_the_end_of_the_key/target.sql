CREATE TABLE constants_at_the_end_of_the_key (a INT NOT NULL, b INT NOT NULL, origin VARCHAR(10) NOT NULL, n INT, PRIMARY KEY (a, b, origin));
INSERT INTO constants_at_the_end_of_the_key VALUES
  (1,1,'mono',1), (1,1,'old',9), (1,2,'mono',2), (2,1,'old',1), (2,2,'mono',1), (2,2,'old',1), (4,1,'mono',1), (5,1,'old',1);
