CREATE TABLE generated_key (id INT NOT NULL, k INT NOT NULL, PRIMARY KEY (id, k));
INSERT INTO generated_key VALUES (1, 10), (2, 20);
