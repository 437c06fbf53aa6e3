CREATE TABLE narrower_decimals (id INT PRIMARY KEY, d DECIMAL(20,4));
INSERT INTO narrower_decimals VALUES
  (1,1.1000),
  (2,1.1234);
