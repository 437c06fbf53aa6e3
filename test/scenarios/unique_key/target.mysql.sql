CREATE TABLE unique_key (id INT PRIMARY KEY, region INT NOT NULL, code VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, n INT, UNIQUE (region, code));
INSERT INTO unique_key VALUES (30, 1, 'A', 1), (10, 2, 'B', 2), (20, 3, 'D', 1);
