package main

import (
	"maps"
	"testing"
)

// want is what each tool found in the same two tables.
var want = map[int64]kind{5: changed, 77: missing, 100009: extra}

func TestTheOutputOfEachToolIsRead(t *testing.T) {
	for name, c := range map[string]struct {
		read   func(string) (map[int64]kind, error)
		output string
	}{
		"trueup": {foundByTrueup, `{"pair":"orders","kind":"neq","key":{"id":5},"columns":["qty"]}
{"pair":"orders","kind":"target_missing","key":{"id":77}}
{"pair":"orders","kind":"base_missing","key":{"id":100009}}
{"verdict":{"pair":"orders","complete":true,"clean":false}}
`},
		"reladiff": {foundByReladiff, `["-", ["5", "{\"a\": 1}", "0.714286", "cust 5"]]
["+", ["5", "{\"a\": 1}", "0.714286", "cust 5x"]]
["-", ["77", "{\"a\": 1}", "11.000000", "cust 77"]]

["+", ["100009", "{\"a\": 1}", "1.285714", "cust 9"]]
`},
		"pt-table-sync": {foundByPtTableSync, "INSERT INTO `b`.`orders`(`id`, `customer`) VALUES ('77', 'cust ''5') /*percona-toolkit src_db:a*/;\n" +
			"UPDATE `b`.`orders` SET `customer`='WHERE `id`=1', `qty`='5' WHERE `id`='5' LIMIT 1 /*percona-toolkit src_db:a*/;\n" +
			"DELETE FROM `b`.`orders` WHERE `id`='100009' LIMIT 1 /*percona-toolkit src_db:a*/;\n"},
		"pt-table-sync, a key in the way": {foundByPtTableSync, "INSERT INTO `b`.`orders`(`id`) VALUES ('77') ;\nREPLACE INTO `b`.`orders`(`id`, `customer`) VALUES ('5', 'x') ;\nDELETE FROM `b`.`orders` WHERE `id`='100009' LIMIT 1 ;\n"},
	} {
		found, err := c.read(c.output)
		if err != nil || !maps.Equal(found, want) {
			t.Errorf("%s: %v, %v; want %v", name, found, err, want)
		}
	}
}

func TestOutputThatIsNotUnderstoodIsAnError(t *testing.T) {
	for name, c := range map[string]struct {
		read   func(string) (map[int64]kind, error)
		output string
	}{
		"trueup, no JSON":              {foundByTrueup, "different: 5\n"},
		"trueup, unknown kind":         {foundByTrueup, `{"kind":"odd","key":{"id":5}}` + "\n"},
		"reladiff, a broken line":      {foundByReladiff, `["-", ["5", "cust` + "\n"},
		"reladiff, no key":             {foundByReladiff, `["-", []]` + "\n"},
		"pt-table-sync, other verb":    {foundByPtTableSync, "SELECT 1;\n"},
		"pt-table-sync, no single key": {foundByPtTableSync, "DELETE FROM `b`.`orders` WHERE `id`>'5';\n"},
	} {
		if found, err := c.read(c.output); err == nil {
			t.Errorf("%s: read as %v", name, found)
		}
	}
}

func TestTheVerdictIsFoundBehindTheFindings(t *testing.T) {
	v, err := verdictOf(`{"pair":"orders","kind":"neq","key":{"id":5}}
{"verdict":{"pair":"orders","mode":"full","complete":true,"clean":false,"rows":{"source":10,"target":9},"method":"merge"}}
`)
	if err != nil || !v.Complete || v.Clean || v.Method != "merge" || v.Rows.Source != 10 || v.Rows.Target != 9 {
		t.Errorf("verdict %+v, %v", v, err)
	}
	if _, err := verdictOf(""); err == nil {
		t.Error("no output has a verdict")
	}
}

func TestMissedInventedAndMistakenAreToldApart(t *testing.T) {
	found := map[int64]kind{5: changed, 100009: missing, 6: changed, 7: extra}
	if got, want := compareFound(found, want), (score{missed: 1, invented: 2, mistaken: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := compareFound(want, want); got.total() != 0 {
		t.Errorf("what is right scores %+v", got)
	}
}
