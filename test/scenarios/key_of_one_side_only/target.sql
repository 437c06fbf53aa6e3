CREATE TABLE key_of_one_side_only (id INT NOT NULL, n INT);
