CREATE TABLE nullable_key (code VARCHAR(20) UNIQUE, n INT);
INSERT INTO nullable_key VALUES ('a', 1), (NULL, 2), (NULL, 3);
