CREATE TABLE constants_at_the_end_of_the_key (a INT NOT NULL, b INT NOT NULL, n INT, PRIMARY KEY (a, b));
INSERT INTO constants_at_the_end_of_the_key VALUES (1,1,1), (1,2,1), (2,1,1), (2,2,1), (3,1,1);
