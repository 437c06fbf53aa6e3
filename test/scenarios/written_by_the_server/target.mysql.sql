CREATE TABLE written_by_the_server (id INT AUTO_INCREMENT PRIMARY KEY, note VARCHAR(10) DEFAULT 'default', at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6));
SET time_zone = '+00:00', sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
INSERT INTO written_by_the_server (id, note, at) VALUES (1, 'a', '2024-01-01 00:00:00'), (2, 'b', '2024-01-01 00:00:00'), (4, 'x', '2024-01-01 00:00:01');
