CREATE TABLE constants_as_floats (id INT PRIMARY KEY, n INT);
