package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/services/assembly"
)

// grantsOptions are the flags of grants.
type grantsOptions struct {
	config                      string
	role, side, authority, user string
	host                        string
	json                        bool
}

func (a *app) grantsCommand() *cobra.Command {
	var o grantsOptions
	cmd := &cobra.Command{
		Use:   "grants --config FILE",
		Short: "Print the least privileges the services need, as SQL for an administrator",
		Long: `grants prints, for each side, the statements that give the services' user what
they need for the pairs of the file and nothing else. It connects to nothing.

  validator   reads both sides
  fixer       reads both sides, and writes the copy: the side that is not the
              pair's authority

Without --role they are those of one user for both. What only some settings need,
or what only makes a service see more, stands in comments that say what for. After
a switch of the authority the fixer writes the other side: --authority both grants
that beforehand.`,
		Example: example(`
trueup grants --config trueup.yaml
trueup grants --config trueup.yaml --side source --role validator --user trueup_ro | mariadb -h db1
trueup grants --config trueup.yaml --side target --role fixer --user trueup_rw | psql -h db2 shop`),
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			grants, err := o.grants()
			if err != nil {
				return err
			}
			if o.json {
				return printGrantsJSON(a.stdout, grants)
			}
			printGrants(a.stdout, grants)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.config, "config", "", "`FILE` the services read")
	f.StringVar(&o.role, "role", "all", "validator, fixer, or all: one user for both")
	f.StringVar(&o.side, "side", "both", "source, target or both")
	f.StringVar(&o.authority, "authority", "", "source, target or both: as if all pairs had this authority (default what each pair says)")
	f.StringVar(&o.user, "user", "", "the `name` to grant to (default that of the side's DSN)")
	f.StringVar(&o.host, "host", "%", "MySQL and MariaDB: the `host` the user comes from")
	f.BoolVar(&o.json, "json", false, "print one JSON object a line")
	return cmd
}

// sideGrants are the statements for one server.
type sideGrants struct {
	side    event.Side
	place   database.Place
	account string // as the engine's SQL spells it
	list    []grant
}

// grant is one statement.
type grant struct {
	statement string
	// purpose says what for.
	purpose string
	// optional marks what a service can do without.
	optional bool
}

func (o *grantsOptions) grants() ([]sideGrants, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	file, err := assembly.Load(o.config)
	if err != nil {
		return nil, err
	}
	if len(file.Pairs) == 0 {
		return nil, usage("%s names no pairs; add some, e.g. pairs: [{name: orders}]", o.config)
	}
	var all []sideGrants
	for _, side := range []event.Side{event.Source, event.Target} {
		if o.side != "both" && o.side != side.String() {
			continue
		}
		one, err := o.of(&file, side)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", side, err)
		}
		all = append(all, one)
	}
	return all, nil
}

func (o *grantsOptions) check() error {
	if o.config == "" {
		return usage("--config is missing; name the file the services read")
	}
	for _, flag := range []struct {
		name, value string
		allowed     [3]string
	}{
		{"role", o.role, [3]string{"validator", "fixer", "all"}},
		{"side", o.side, [3]string{"source", "target", "both"}},
		{"authority", o.authority, [3]string{"source", "target", "both"}},
	} {
		known := flag.name == "authority" && flag.value == ""
		for _, word := range flag.allowed {
			known = known || flag.value == word
		}
		if !known {
			return usage("--%s %q: say %s, %s or %s", flag.name, flag.value, flag.allowed[0], flag.allowed[1], flag.allowed[2])
		}
	}
	return nil
}

// of are the statements for one side.
func (o *grantsOptions) of(file *assembly.File, side event.Side) (sideGrants, error) {
	settings, budget := file.Source, file.Governor.Source
	if side == event.Target {
		settings, budget = file.Target, file.Governor.Target
	}
	place, err := database.Locate(settings.DSN)
	if err != nil {
		return sideGrants{}, err
	}
	user := o.user
	if user == "" {
		user = place.User
	}
	if user == "" {
		return sideGrants{}, usage("the DSN does not say who logs in; name the user with --user")
	}
	tables, err := o.tables(file, side, place)
	if err != nil {
		return sideGrants{}, err
	}
	needs := needs{
		place: place, tables: tables, budget: budget,
		follows: file.Replication.Measure != "off" && file.Replication.Heartbeat == "",
		asks:    len(budget.Checks) > 0,
		role:    o.role, user: user, host: o.host,
	}
	for i := range file.Pairs {
		needs.incremental = needs.incremental || file.Pairs[i].Schedule.Incremental != ""
		needs.asks = needs.asks || file.Replication.Heartbeat != "" && o.copies(&file.Pairs[i], side)
	}
	out := sideGrants{side: side, place: place}
	if place.Engine == "postgres" {
		out.account, out.list = needs.postgres()
	} else {
		out.account, out.list = needs.mysql()
	}
	return out, nil
}

func printGrants(w io.Writer, grants []sideGrants) {
	for i, g := range grants {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "-- %s: %s at %s, for %s\n", g.side, g.place.Database, g.place.Host, g.account)
		for _, one := range g.list {
			if one.optional {
				fmt.Fprintf(w, "-- optional, %s:\n-- %s\n", one.purpose, one.statement)
			}
		}
		for _, one := range g.list {
			if !one.optional {
				fmt.Fprintf(w, "-- %s:\n%s\n", one.purpose, one.statement)
			}
		}
	}
}

func printGrantsJSON(w io.Writer, grants []sideGrants) error {
	encoder := json.NewEncoder(w)
	for _, g := range grants {
		for _, one := range g.list {
			err := encoder.Encode(struct {
				Side      string `json:"side"`
				Account   string `json:"account"`
				Statement string `json:"statement"`
				Purpose   string `json:"purpose"`
				Optional  bool   `json:"optional"`
			}{g.side.String(), g.account, one.statement, one.purpose, one.optional})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
