-- The target of the compose demo: the source's orders, damaged. PostgreSQL runs
-- this once, as the superuser, in the database shop.

CREATE TABLE orders (
  id         bigint         PRIMARY KEY,
  customer   varchar(100)   NOT NULL,
  status     varchar(20)    NOT NULL,
  amount     numeric(12, 2) NOT NULL,
  note       text           NULL,
  created_at timestamp(6)   NOT NULL,
  updated_at timestamp(6)   NOT NULL
);

INSERT INTO orders
SELECT n,
       'customer ' || n % 97,
       (ARRAY['new', 'paid', 'shipped', 'returned'])[1 + n % 4],
       n * 1.25,
       CASE WHEN n % 5 = 0 THEN 'gift for no. ' || n END,
       timestamp '2026-01-01 00:00:00' + n * interval '1 minute',
       timestamp '2026-01-01 00:00:00.000001' + 2 * n * interval '1 minute'
FROM generate_series(1, 1000) AS n;

-- The damage: 5 orders lost, 7 changed, 3 that the source never had.
DELETE FROM orders WHERE id IN (1, 250, 251, 252, 1000);
UPDATE orders SET amount = amount + 0.01 WHERE id IN (42, 500);
UPDATE orders SET status = upper(status) WHERE id IN (77, 78);
UPDATE orders SET note = '' WHERE id = 301;
UPDATE orders SET note = note || ' ' WHERE id = 305;
UPDATE orders SET updated_at = updated_at + interval '1 microsecond' WHERE id = 900;
INSERT INTO orders
SELECT n, 'nobody', 'new', 0, NULL, timestamp '2026-01-01', timestamp '2026-01-01' FROM generate_series(1001, 1003) AS n;

-- What the fixer needs, and no more. The password comes with the container.
\getenv password TRUEUP_PASSWORD
CREATE ROLE trueup LOGIN PASSWORD :'password';
GRANT CONNECT ON DATABASE shop TO trueup;
GRANT USAGE ON SCHEMA public TO trueup;
GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO trueup;
