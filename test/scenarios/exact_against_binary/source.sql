CREATE TABLE exact_against_binary (id INT PRIMARY KEY, v DECIMAL(20,6));
