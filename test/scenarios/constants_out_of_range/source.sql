CREATE TABLE constants_out_of_range (id INT PRIMARY KEY, n INT);
