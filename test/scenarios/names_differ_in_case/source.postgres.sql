CREATE TABLE names_differ_in_case ("ID" INT PRIMARY KEY, "Note" INT, "note" INT);
INSERT INTO names_differ_in_case VALUES
  (1,1,7),
  (2,2,7);
