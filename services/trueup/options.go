package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/services/assembly"
)

// options are the flags that diff, fix and plan share, as given.
type options struct {
	config string

	key, columns, exclude []string
	where                 string
	sourceWhere           string
	targetWhere           string
	renames, rules        []string
	constants             []string
	method                string

	passwordFile       string
	sourcePasswordFile string
	targetPasswordFile string

	json bool
}

// perPair are the flags that say how a pair is compared; a configuration file
// says that itself.
var perPair = []string{"key", "columns", "exclude", "where", "source-where", "target-where", "map", "rule", "constant"}

func (o *options) addTo(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.config, "config", "", "`FILE` with source, target, pairs and settings, as for the services")
	f.StringSliceVar(&o.key, "key", nil, "key `columns`: unique and not null on both sides (default the primary key)")
	f.StringSliceVar(&o.columns, "columns", nil, "`columns` to compare (default all that both sides have)")
	f.StringSliceVar(&o.exclude, "exclude", nil, "`columns` not to compare")
	f.StringVar(&o.where, "where", "", "compare only rows that meet this `condition`, in SQL both engines read")
	f.StringVar(&o.sourceWhere, "source-where", "", "the `condition` in the source's SQL, instead of --where")
	f.StringVar(&o.targetWhere, "target-where", "", "the `condition` in the target's SQL, instead of --where")
	f.StringArrayVar(&o.renames, "map", nil, "`source=target`: a column's name at the target; may be repeated")
	f.StringArrayVar(&o.constants, "constant", nil, "`column=value`: a column that only the target has, and its value in all rows; may be repeated")
	f.StringArrayVar(&o.rules, "rule", nil, "`column=rule`: relax the comparison of a column (see above); may be repeated")
	f.StringVar(&o.method, "method", "", "how ranges are compared: auto, checksum, merge or lookup (default auto)")
	f.StringVar(&o.passwordFile, "password-file", "", "`file` with the password, for each URL that holds none")
	f.StringVar(&o.sourcePasswordFile, "source-password-file", "", "`file` with the source's password")
	f.StringVar(&o.targetPasswordFile, "target-password-file", "", "`file` with the target's password")
	f.BoolVar(&o.json, "json", false, "print one JSON object a line")
}

// job is what a command line asks for: two databases and pairs of tables.
type job struct {
	source, target assembly.Database
	file           assembly.File
	// pairs are the pairs named; none means every table both sides have.
	pairs []assembly.Pair
	// template is what the flags say about every pair.
	template assembly.Pair
}

// job reads the command line: [SOURCE TARGET] [TABLE…] and flags.
func (o *options) job(cmd *cobra.Command, args []string) (*job, error) {
	if _, err := assembly.ParseMethod(o.method); err != nil {
		return nil, usage("--method: %w", err)
	}
	dsns := 0
	for dsns < len(args) && dsns < 2 && isDSN(args[dsns]) {
		dsns++
	}
	tables := args[dsns:]
	j := &job{}
	var err error
	if o.config != "" {
		err = o.fromFile(cmd, j, tables)
	} else {
		err = o.fromFlags(j, tables)
	}
	if err != nil {
		return nil, err
	}
	switch {
	case dsns == 2:
		j.source.DSN, j.target.DSN = args[0], args[1]
		j.source.PasswordFile, j.target.PasswordFile = "", ""
	case dsns == 1 || o.config == "":
		return nil, usage("want the URLs of two databases, source and target: mysql://user@host/database or postgres://user@host/database")
	case j.source.DSN == "" || j.target.DSN == "":
		return nil, usage("%s names no source.dsn or no target.dsn; add them, or give both URLs before the tables", o.config)
	}
	o.addPasswords(j)
	return j, nil
}

// isDSN tells a URL from a table: a table's name can hold "://" hardly ever,
// and a URL may come as a whole from the environment.
func isDSN(arg string) bool {
	return strings.Contains(arg, "://") || strings.HasPrefix(arg, "${")
}

// fromFlags makes pairs of the tables and the flags.
func (o *options) fromFlags(j *job, tables []string) error {
	rules, err := parseRules(o.rules)
	if err != nil {
		return err
	}
	renames, err := parseRenames(o.renames)
	if err != nil {
		return err
	}
	constants, err := parseConstants(o.constants)
	if err != nil {
		return err
	}
	j.template = assembly.Pair{
		Key: o.key, Columns: o.columns, Exclude: o.exclude, Map: renames, Rules: rules, Constants: constants,
		Where: o.where, SourceWhere: o.sourceWhere, TargetWhere: o.targetWhere, Method: o.method,
	}
	for _, table := range tables {
		pair, err := parseTable(table)
		if err != nil {
			return err
		}
		j.add(pair)
	}
	j.file.Pairs = j.pairs
	if err := j.file.Validate(); err != nil {
		return &usageError{err}
	}
	j.pairs = j.file.Pairs
	return nil
}

// add adds the pair of two tables under what the flags say.
func (j *job) add(tables assembly.Pair) {
	pair := j.template
	pair.Name, pair.Source, pair.Target = tables.Name, tables.Source, tables.Target
	j.pairs = append(j.pairs, pair)
}

// fromFile takes the pairs of the file, those named on the command line or all.
func (o *options) fromFile(cmd *cobra.Command, j *job, names []string) error {
	for _, flag := range perPair {
		if cmd.Flags().Changed(flag) {
			return usage("--%s and --config: the file says how each pair is compared; put it there", flag)
		}
	}
	file, err := assembly.Load(o.config)
	if err != nil {
		return err
	}
	j.file, j.source, j.target, j.pairs = file, file.Source, file.Target, file.Pairs
	if len(names) > 0 {
		if j.pairs, err = choose(file.Pairs, names, o.config); err != nil {
			return err
		}
	}
	if len(j.pairs) == 0 {
		return usage("%s names no pairs; add some, e.g. pairs: [{name: orders}]", o.config)
	}
	for i := range j.pairs {
		if o.method != "" {
			j.pairs[i].Method = o.method
		}
	}
	return nil
}

func choose(pairs []assembly.Pair, names []string, file string) ([]assembly.Pair, error) {
	var chosen []assembly.Pair
	var known []string
	for _, p := range pairs {
		known = append(known, p.Name)
	}
	for _, name := range names {
		found := len(chosen)
		for _, p := range pairs {
			if p.Is(name) {
				chosen = append(chosen, p)
			}
		}
		if len(chosen) == found {
			return nil, usage("%s has no pair %q; it has %s", file, name, strings.Join(known, ", "))
		}
	}
	return chosen, nil
}

// parseTable reads "name", "schema.name" or "source_name=target_name".
func parseTable(text string) (assembly.Pair, error) {
	source, target, renamed := strings.Cut(text, "=")
	if source == "" || renamed && target == "" {
		return assembly.Pair{}, usage("table %q: write name, schema.name or source_name=target_name", text)
	}
	return assembly.Pair{Name: source, Source: source, Target: target}, nil
}

func parseRenames(texts []string) (map[string]string, error) {
	renames := map[string]string{}
	for _, text := range texts {
		source, target, found := strings.Cut(text, "=")
		if !found || source == "" || target == "" {
			return nil, usage("--map %q: write it as source_column=target_column", text)
		}
		renames[source] = target
	}
	return renames, nil
}

func parseConstants(texts []string) (map[string]*string, error) {
	constants := map[string]*string{}
	for _, text := range texts {
		column, value, found := strings.Cut(text, "=")
		if !found || column == "" {
			return nil, usage("--constant %q: write it as target_column=value", text)
		}
		constants[column] = &value
	}
	return constants, nil
}

// addPasswords gives each side its password file: its own, else the common one
// when its URL holds no password.
func (o *options) addPasswords(j *job) {
	for _, side := range []struct {
		database *assembly.Database
		own      string
	}{{&j.source, o.sourcePasswordFile}, {&j.target, o.targetPasswordFile}} {
		switch {
		case side.own != "":
			side.database.PasswordFile = side.own
		case o.passwordFile != "" && side.database.PasswordFile == "" && !holdsPassword(side.database.DSN):
			side.database.PasswordFile = o.passwordFile
		}
	}
}

// holdsPassword says whether a URL has a password before its host, or may have
// one because it comes from the environment as a whole.
func holdsPassword(dsn string) bool {
	_, rest, found := strings.Cut(dsn, "://")
	if !found {
		return true
	}
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		rest = rest[:i]
	}
	at := strings.LastIndexByte(rest, '@')
	return at >= 0 && strings.Contains(rest[:at], ":")
}

// method is the method a pair asks for; it was checked before.
func methodOf(p assembly.Pair) schema.Method {
	method, _ := assembly.ParseMethod(p.Method)
	return method
}
