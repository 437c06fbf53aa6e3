CREATE TABLE renamed (number INT PRIMARY KEY, status VARCHAR(10), state INT);
INSERT INTO renamed VALUES (1, 'a', 5), (2, 'z', 5);
