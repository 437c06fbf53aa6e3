CREATE TABLE names_differ_in_case (ID INT PRIMARY KEY, Note INT);
INSERT INTO names_differ_in_case VALUES
  (1,10),
  (2,2);
