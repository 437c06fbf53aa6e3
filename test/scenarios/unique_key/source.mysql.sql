CREATE TABLE unique_key (id INT PRIMARY KEY, region INT NOT NULL, code VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, n INT, UNIQUE (region, code));
INSERT INTO unique_key VALUES (10, 1, 'A', 1), (20, 2, 'B', 1), (30, 3, 'C', 1);
