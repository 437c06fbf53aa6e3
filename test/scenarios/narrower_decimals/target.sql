CREATE TABLE narrower_decimals (id INT PRIMARY KEY, d DECIMAL(20,2));
INSERT INTO narrower_decimals VALUES
  (1,1.1),
  (2,1.12);
