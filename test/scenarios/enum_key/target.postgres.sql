CREATE TYPE state AS ENUM ('a', 'b');
CREATE TABLE enum_key (id state PRIMARY KEY, v INT);
