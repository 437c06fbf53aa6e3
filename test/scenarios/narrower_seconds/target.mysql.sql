CREATE TABLE narrower_seconds (id INT PRIMARY KEY, at DATETIME);
INSERT INTO narrower_seconds VALUES
  (1,'2024-02-29 23:59:59'),
  (2,'2024-02-29 23:59:59');
