package schema

import (
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
)

func TestAColumnThatMayAlterAValueIsKnown(t *testing.T) {
	decimals := func(n int) Column {
		c := column("v", "decimal(20,x)", canonical.Decimal)
		c.Precision = n
		return c
	}
	seconds := func(n int) Column {
		c := column("v", "datetime(x)", canonical.Timestamp)
		c.Precision = n
		return c
	}
	varchar := func(n int64) Column { return ofLength(n, column("v", "varchar(x)", canonical.Text)) }
	bytea, double := column("v", "bytea", canonical.Bytes), column("v", "double", canonical.Float64)
	whole, text := column("v", "bigint", canonical.Int), column("v", "text", canonical.Text)
	for name, c := range map[string]struct {
		from, to Column
		keeps    bool
	}{
		"fractions in whole numbers":       {decimals(2), whole, false},
		"whole numbers with fractions":     {whole, decimals(2), true},
		"fewer decimals":                   {decimals(4), decimals(2), false},
		"more decimals":                    {decimals(2), decimals(4), true},
		"open decimals":                    {decimals(-1), decimals(4), false},
		"decimals into open ones":          {decimals(4), decimals(-1), true},
		"fewer fractional digits":          {seconds(6), seconds(0), false},
		"more fractional digits":           {seconds(0), seconds(6), true},
		"double in single precision":       {double, column("v", "float", canonical.Float32), false},
		"single in double precision":       {column("v", "real", canonical.Float32), double, true},
		"a shorter varchar":                {varchar(20), varchar(3), false},
		"a longer varchar":                 {varchar(3), varchar(20), true},
		"any text in a varchar":            {text, varchar(20), false},
		"a varchar in any text":            {varchar(20), text, true},
		"blanks at the end of a char":      {varchar(20), ofLength(20, column("v", "char(x)", canonical.Text)), false},
		"words of an enum":                 {varchar(20), column("v", "enum('a')", canonical.Text), false},
		"bytes that are filled up":         {bytea, ofLength(4, column("v", "binary(4)", canonical.Bytes)), false},
		"bytes of any length":              {ofLength(4, column("v", "binary(4)", canonical.Bytes)), bytea, true},
		"bytes that already have a length": {ofLength(4, column("v", "binary(4)", canonical.Bytes)), ofLength(4, column("v", "binary(4)", canonical.Bytes)), true},
	} {
		p := mustResolve(t, Mapping{}, table("postgres", id(), c.from), table("mariadb", id(), c.to))
		if got := p.Keeps(&p.Target); got != c.keeps {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestColumnsOfOneDefinitionKeepTheirValuesUnlessATriggerStepsIn(t *testing.T) {
	char := ofLength(5, column("v", "char(5)", canonical.Text))
	p := mustResolve(t, Mapping{}, table("mariadb", id(), char), table("mariadb", id(), char))
	if !p.Keeps(&p.Target) || !p.Keeps(&p.Source) {
		t.Error("the same type on the same engine is in doubt")
	}
	p.Target.Table.Triggers = []string{"tidy"}
	if p.Keeps(&p.Target) || !p.Keeps(&p.Source) {
		t.Error("only the side with the trigger is in doubt")
	}
}
