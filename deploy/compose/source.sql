-- The source of the compose demo: 1,000 orders. MySQL 8.4 runs this once, as
-- root, in the database shop; the image has made the user trueup.

CREATE TABLE orders (
  id         BIGINT         NOT NULL PRIMARY KEY,
  customer   VARCHAR(100)   NOT NULL,
  state      VARCHAR(20)    NOT NULL,
  amount     DECIMAL(12, 2) NOT NULL,
  note       TEXT           NULL,
  created_at DATETIME(6)    NOT NULL,
  updated_at DATETIME(6)    NOT NULL
) DEFAULT CHARSET = utf8mb4;

INSERT INTO orders
WITH digit (d) AS (
  SELECT 0 UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4
  UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9
), number (n) AS (
  SELECT 1 + ones.d + 10 * tens.d + 100 * hundreds.d FROM digit ones, digit tens, digit hundreds
)
SELECT n,
       CONCAT('customer ', n % 97),
       ELT(1 + n % 4, 'new', 'paid', 'shipped', 'returned'),
       n * 1.25,
       CASE WHEN n % 5 = 0 THEN CONCAT('gift for no. ', n) END,
       TIMESTAMPADD(MINUTE, n, '2026-01-01 00:00:00'),
       TIMESTAMPADD(MINUTE, 2 * n, '2026-01-01 00:00:00.000001')
FROM number;

-- The source is only read.
REVOKE ALL PRIVILEGES ON shop.* FROM trueup;
GRANT SELECT ON shop.* TO trueup;
