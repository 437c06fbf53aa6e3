CREATE TABLE written_by_the_server (id INT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note VARCHAR(10) DEFAULT 'default', at TIMESTAMPTZ(6) NOT NULL DEFAULT now());
SET TimeZone = 'UTC';
INSERT INTO written_by_the_server (id, note, at) OVERRIDING SYSTEM VALUE VALUES (1, 'a', '2024-01-01 00:00:00'), (2, 'b', '2024-01-01 00:00:00'), (4, 'x', '2024-01-01 00:00:01');
