CREATE TABLE constants_the_source_has_too (id INT PRIMARY KEY, n INT);
