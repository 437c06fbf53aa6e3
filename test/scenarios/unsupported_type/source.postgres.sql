CREATE TABLE unsupported_type (id INT PRIMARY KEY, p INT[]);
