package database

import (
	"database/sql/driver"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/dialect"
)

func TestAConnectionKeepsFewPreparedStatements(t *testing.T) {
	db := openOn(t, Config{DSN: testenv.MySQL(t), MaxConns: 1})
	s, err := db.pool.acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.release()
	for round := range 2 {
		for i := range 3 * keptStatements {
			lines, err := readTexts(t.Context(), s, dialect.Query{SQL: fmt.Sprintf("SELECT ? + %d", i), Args: []any{int64(1)}})
			if err != nil || *lines[0][0] != fmt.Sprint(i+1) {
				t.Fatalf("round %d, statement %d: %v", round, i, err)
			}
		}
	}
	if n := len(s.(*mysqlSession).link.statements); n == 0 || n > keptStatements {
		t.Errorf("%d statements are kept", n)
	}
}

func TestMySQLValuesKeepTheirForm(t *testing.T) {
	cases := []struct {
		value driver.Value
		want  dialect.Raw
	}{
		{nil, dialect.Raw{}},
		{int64(-5), dialect.Raw{Kind: dialect.RawInt, Int: -5}},
		{uint64(1 << 63), dialect.Raw{Kind: dialect.RawUint, Uint: 1 << 63}},
		{float32(0.5), dialect.Raw{Kind: dialect.RawFloat32, Float: 0.5}},
		{0.1, dialect.Raw{Kind: dialect.RawFloat64, Float: 0.1}},
	}
	for _, c := range cases {
		raw := dialect.Raw{Kind: dialect.RawBytes, Bytes: []byte("of the row before")}
		if err := rawFromMySQL(&raw, c.value); err != nil || fmt.Sprint(raw) != fmt.Sprint(c.want) {
			t.Errorf("%T %v: %+v, %v", c.value, c.value, raw, err)
		}
	}
	var raw dialect.Raw
	for _, refused := range []driver.Value{time.Now(), true} {
		if err := rawFromMySQL(&raw, refused); err == nil {
			t.Errorf("a %T is taken", refused)
		}
	}
}

func TestATagCannotLeaveItsComment(t *testing.T) {
	tag, err := newTag("x */ DROP TABLE orders; -- %_")
	if err != nil {
		t.Fatal(err)
	}
	if inside := strings.TrimSuffix(strings.TrimPrefix(tag, "/* "), " */ "); strings.ContainsAny(inside, "*/%_;'") || len(inside) != len(tag)-7 {
		t.Errorf("tag %q", tag)
	}
	other, err := newTag("x")
	if err != nil || other == tag {
		t.Errorf("tags %q and %q: %v", tag, other, err)
	}
}
