CREATE TABLE constants_of_every_kind (id INT PRIMARY KEY, name VARCHAR(10), shard SMALLINT NOT NULL, price DECIMAL(10,2),
  origin VARCHAR(20), tag CHAR(8), since DATE, at DATETIME(3), live BOOLEAN, ref CHAR(36), hash BINARY(2), midday TIME);
INSERT INTO constants_of_every_kind VALUES
  (1,'a',3,12.50,'it''s \\ né','pad','2024-02-29','2024-01-01 12:30:00.5',TRUE,'00112233-4455-6677-8899-aabbccddeeff',X'00ff','12:00:00'),
  (2,'b',4,12.50,'it''s \\ né','pad','2024-02-29','2024-01-01 12:30:00.5',TRUE,'00112233-4455-6677-8899-aabbccddeeff',X'00ff','12:00:00'),
  (3,'c',3,12.51,'it''s \\ né','pad','2024-02-29','2024-01-01 12:30:00.5',TRUE,'00112233-4455-6677-8899-aabbccddeeff',X'00ff','12:00:00'),
  (4,'d',3,12.50,'its','pad','2024-02-29','2024-01-01 12:30:00.5',TRUE,'00112233-4455-6677-8899-aabbccddeeff',X'00ff','12:00:00'),
  (5,'e',3,12.50,'it''s \\ né','pad',NULL,'2024-01-01 12:30:00.5',TRUE,'00112233-4455-6677-8899-aabbccddeeff',X'00ff','12:00:00'),
  (6,'f',3,12.50,'it''s \\ né','pad','2024-02-29','2024-01-01 12:30:00.4',TRUE,'00112233-4455-6677-8899-aabbccddeeff',X'00ff','12:00:00'),
  (7,'g',3,12.50,'it''s \\ né','pad','2024-02-29','2024-01-01 12:30:00.5',FALSE,'00112233-4455-6677-8899-aabbccddeeff',X'00ff','12:00:00'),
  (8,'h',3,12.50,'it''s \\ né','pad','2024-02-29','2024-01-01 12:30:00.5',TRUE,'00112233-4455-6677-8899-aabbccddeeff',X'00fe','12:00:00'),
  (20,'x',3,12.50,'it''s \\ né','pad','2024-02-29','2024-01-01 12:30:00.5',TRUE,'00112233-4455-6677-8899-aabbccddeeff',X'00ff','12:00:00');
