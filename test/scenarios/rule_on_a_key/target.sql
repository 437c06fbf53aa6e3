CREATE TABLE rule_on_a_key (id DECIMAL(10,3) PRIMARY KEY);
INSERT INTO rule_on_a_key VALUES
  (1);
