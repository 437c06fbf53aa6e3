CREATE TABLE enum_key (id ENUM('a','b') PRIMARY KEY, v INT);
