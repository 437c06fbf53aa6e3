CREATE TABLE generated_columns (id INT PRIMARY KEY, n INT, twice INT GENERATED ALWAYS AS (n * 2) STORED);
INSERT INTO generated_columns (id, n) VALUES (1, 1), (2, 2), (3, 3);
