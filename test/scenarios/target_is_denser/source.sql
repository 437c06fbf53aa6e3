CREATE TABLE target_is_denser (id INT PRIMARY KEY);
INSERT INTO target_is_denser VALUES (10), (40), (41);
