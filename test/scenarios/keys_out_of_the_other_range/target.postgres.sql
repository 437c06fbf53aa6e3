CREATE TABLE keys_out_of_the_other_range (id BIGINT PRIMARY KEY, n INT);
INSERT INTO keys_out_of_the_other_range VALUES
  (-7,9),
  (0,1),
  (5,20),
  (9223372036854775807,3);
