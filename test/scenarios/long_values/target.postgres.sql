CREATE TABLE long_values (id INT PRIMARY KEY, v TEXT);
INSERT INTO long_values SELECT n, repeat('x', 1000000) || n FROM generate_series(1, 4) AS s(n);
UPDATE long_values SET v = repeat('x', 1000000) || 'y' WHERE id IN (2, 4);
