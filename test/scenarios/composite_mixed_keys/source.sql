CREATE TABLE composite_mixed_keys (tenant INT NOT NULL, d DATE NOT NULL, seq BIGINT NOT NULL, n INT, PRIMARY KEY (tenant, d, seq));
INSERT INTO composite_mixed_keys VALUES
  (1,'2024-01-01',1,1),
  (1,'2024-01-01',2,1),
  (1,'2024-01-02',1,1),
  (2,'2024-01-01',-1,1),
  (2,'2024-01-01',0,1),
  (2,'2024-01-01',1,1),
  (3,'2024-01-01',1,1),
  (1,'2024-01-03',1,1);
