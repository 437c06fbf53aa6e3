CREATE TABLE types_that_do_not_meet (id INT PRIMARY KEY, v INT);
