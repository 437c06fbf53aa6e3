package main

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/services/assembly"
)

// parse reads a command line of diff up to where databases would be opened.
func parse(t *testing.T, args ...string) (*job, error) {
	t.Helper()
	var o runOptions
	var j *job
	cmd := &cobra.Command{RunE: func(cmd *cobra.Command, args []string) error {
		var err error
		if j, err = o.job(cmd, args); err != nil {
			return err
		}
		return o.apply(cmd, j)
	}, SilenceUsage: true, SilenceErrors: true}
	o.addTo(cmd)
	cmd.SetArgs(args)
	return j, cmd.ExecuteContext(t.Context())
}

func TestFlagsBecomeAPair(t *testing.T) {
	j, err := parse(t, "mysql://a/b", "${TARGET}", "shop.orders=public.orders_v2", "--key", "tenant,id", "--columns", "status", "--columns", "amount",
		"--where", "a = 1", "--target-where", "a IS TRUE", "--map", "state=status", "--rule", "note=trim:right", "--method", "merge",
		"--threads", "7", "--confirm", "0", "--max-findings", "9", "--authority", "target")
	if err != nil {
		t.Fatal(err)
	}
	if j.source.DSN != "mysql://a/b" || j.target.DSN != "${TARGET}" || len(j.pairs) != 1 {
		t.Fatalf("%+v", j)
	}
	p := j.pairs[0]
	m := p.Mapping()
	if p.Name != "shop.orders" || m.Source != (schema.Name{Schema: "shop", Table: "orders"}) || m.Target != (schema.Name{Schema: "public", Table: "orders_v2"}) {
		t.Errorf("tables %+v", m)
	}
	if !slices.Equal(p.Key, []string{"tenant", "id"}) || !slices.Equal(p.Columns, []string{"status", "amount"}) || p.Map["state"] != "status" {
		t.Errorf("columns %+v", p)
	}
	if m.SourceWhere != "a = 1" || m.TargetWhere != "a IS TRUE" || !reflect.DeepEqual(p.Rules["note"], canonical.Rule{Trim: "right"}) || methodOf(p) != schema.Merge {
		t.Errorf("rest %+v", p)
	}
	v := j.file.Validator
	if v.Threads != 7 || *v.Confirm != 0 || v.MaxFindings != 9 || p.Side() != event.Target {
		t.Errorf("run %+v, side %s", v, p.Side())
	}
}

func TestAConditionMayHoldCommas(t *testing.T) {
	j, err := parse(t, "mysql://a/b", "mysql://c/d", "orders", "--where", "id IN (1, 2)")
	if err != nil || j.pairs[0].Where != "id IN (1, 2)" {
		t.Errorf("%+v, %v", j, err)
	}
}

func TestTablesOfAnyNameAreTaken(t *testing.T) {
	j, err := parse(t, "mysql://a/b", "mysql://c/d", "order; drop", "sh op.or`der")
	if err != nil {
		t.Fatal(err)
	}
	if m := j.pairs[0].Mapping(); m.Source.Table != "order; drop" || m.Target.Table != "order; drop" {
		t.Errorf("%+v", m)
	}
	if m := j.pairs[1].Mapping(); m.Source != (schema.Name{Schema: "sh op", Table: "or`der"}) {
		t.Errorf("%+v", m)
	}
}

func config(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trueup.yaml")
	text := `
source: {dsn: "mysql://a/b", password_file: pw}
target: {dsn: "mysql://c/d"}
pairs:
  - {name: orders, method: merge, key: [id]}
  - {name: items, updated_at: changed_at, schedule: {incremental: "@every 10s"}}
validator: {threads: 3, confirm: 30s}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAFileGivesDatabasesPairsAndSettings(t *testing.T) {
	j, err := parse(t, "--config", config(t))
	if err != nil {
		t.Fatal(err)
	}
	if j.source != (assembly.Database{DSN: "mysql://a/b", PasswordFile: "pw"}) || len(j.pairs) != 2 {
		t.Errorf("%+v", j)
	}
	if v := j.file.Validator; v.Threads != 3 || *v.Confirm != 30*time.Second {
		t.Errorf("%+v", v)
	}
}

func TestFlagsAndArgumentsChooseFromTheFile(t *testing.T) {
	j, err := parse(t, "--config", config(t), "postgres://e/f", "postgres://g/h", "orders", "--threads", "2", "--confirm", "1s", "--method", "checksum")
	if err != nil {
		t.Fatal(err)
	}
	if j.source != (assembly.Database{DSN: "postgres://e/f"}) || len(j.pairs) != 1 || j.pairs[0].Name != "orders" || methodOf(j.pairs[0]) != schema.Checksum {
		t.Errorf("%+v", j)
	}
	if v := j.file.Validator; v.Threads != 2 || *v.Confirm != time.Second {
		t.Errorf("%+v", v)
	}
	_, err = parse(t, "--config", config(t), "parcels")
	if err == nil || !strings.Contains(err.Error(), `has no pair "parcels"; it has orders, items`) {
		t.Errorf("got %v", err)
	}
}

func TestPasswordFilesGoToTheSidesThatNeedThem(t *testing.T) {
	cases := []struct {
		source, target string
		flags          []string
		want           [2]string
	}{
		{"mysql://a@h/b", "mysql://a@h/b", []string{"--password-file", "pw"}, [2]string{"pw", "pw"}},
		{"mysql://a:x@h/b", "mysql://a@h/b", []string{"--password-file", "pw"}, [2]string{"", "pw"}},
		{"mysql://h/b?x=a:b@c", "${ALL}", []string{"--password-file", "pw"}, [2]string{"pw", ""}},
		{"mysql://a@h/b", "mysql://a@h/b", []string{"--password-file", "pw", "--target-password-file", "other"}, [2]string{"pw", "other"}},
		{"mysql://a@h/b", "mysql://a@h/b", []string{"--source-password-file", "pw"}, [2]string{"pw", ""}},
	}
	for _, c := range cases {
		j, err := parse(t, append([]string{c.source, c.target}, c.flags...)...)
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]string{j.source.PasswordFile, j.target.PasswordFile}; got != c.want {
			t.Errorf("%s %s %v: %v", c.source, c.target, c.flags, got)
		}
	}
}
