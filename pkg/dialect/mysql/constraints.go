package mysql

import (
	"regexp"
	"strings"

	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/schema"
)

// inspectReferences asks for the foreign keys of a table and of the tables of
// its database that refer to it. Their actions are another query: MariaDB hides
// them, and not the keys, from a user who may only read.
func inspectReferences(name schema.Name) []dialect.Query {
	own := func(q *dialect.Query, columns, view, schemaColumn, condition string) {
		q.SQL = "SELECT " + columns + " FROM information_schema." + view + " WHERE " + schemaColumn + " = DATABASE()" + condition
		if name.Schema != "" {
			q.SQL = strings.Replace(q.SQL, "DATABASE()", "?", 1)
			q.Args = append(q.Args, name.Schema)
		}
		q.Args = append(q.Args, name.Table, name.Table)
	}
	var keys, actions dialect.Query
	own(&keys, "CONSTRAINT_NAME, TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME",
		"KEY_COLUMN_USAGE", "TABLE_SCHEMA", " AND REFERENCED_TABLE_NAME IS NOT NULL AND (TABLE_NAME = ? OR REFERENCED_TABLE_NAME = ?)"+
			" ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION")
	own(&actions, "CONSTRAINT_NAME, TABLE_NAME, DELETE_RULE, UPDATE_RULE", "REFERENTIAL_CONSTRAINTS", "CONSTRAINT_SCHEMA",
		" AND (TABLE_NAME = ? OR REFERENCED_TABLE_NAME = ?)")
	return []dialect.Query{keys, actions, {SQL: "SHOW GRANTS"}}
}

// inspectChecks asks for check constraints, whose tables MySQL keeps elsewhere.
func (d Dialect) inspectChecks(name schema.Name) dialect.Query {
	if d.mariadb {
		return inspect(name, "CONSTRAINT_NAME, CHECK_CLAUSE", "CHECK_CONSTRAINTS", "CONSTRAINT_SCHEMA", "TABLE_NAME", "CONSTRAINT_NAME")
	}
	return inspect(name, "CONSTRAINT_NAME, CHECK_CLAUSE",
		"CHECK_CONSTRAINTS JOIN information_schema.TABLE_CONSTRAINTS USING (CONSTRAINT_SCHEMA, CONSTRAINT_NAME)",
		"CONSTRAINT_TYPE = 'CHECK' AND CONSTRAINT_SCHEMA", "TABLE_NAME", "CONSTRAINT_NAME")
}

// references sets a table's foreign keys, those that refer to it, and whether
// all of the latter can be seen.
func references(t *schema.Table, keys, actions, grants [][]*string) {
	rules := map[[2]string][2]schema.Action{}
	for _, r := range actions {
		rules[[2]string{text(r[0]), text(r[1])}] = [2]schema.Action{action(r[2]), action(r[3])}
	}
	var all []schema.ForeignKey
	for _, r := range keys {
		child := schema.Name{Schema: text(r[1]), Table: text(r[2])}
		if n := len(all); n == 0 || all[n-1].Name != text(r[0]) || all[n-1].Child != child {
			rule := rules[[2]string{text(r[0]), child.Table}]
			all = append(all, schema.ForeignKey{
				Name: text(r[0]), Child: child, Parent: schema.Name{Schema: text(r[4]), Table: text(r[5])},
				OnDelete: rule[0], OnUpdate: rule[1],
			})
		}
		key := &all[len(all)-1]
		key.Columns = append(key.Columns, text(r[3]))
		key.ParentColumns = append(key.ParentColumns, text(r[6]))
	}
	for _, key := range all {
		if isTable(key.Child, t.Name) {
			t.References = append(t.References, key)
		}
		if isTable(key.Parent, t.Name) {
			t.ReferencedBy = append(t.ReferencedBy, key)
		}
	}
	t.AllReferences = seesDatabase(t.Name.Schema, grants)
}

// isTable compares names as a server does that keeps them in lower case.
func isTable(a, b schema.Name) bool {
	return strings.EqualFold(a.Schema, b.Schema) && strings.EqualFold(a.Table, b.Table)
}

func action(s *string) schema.Action { return schema.Action(strings.ToUpper(text(s))) }

// grant reads a line of SHOW GRANTS as far as its privileges and their scope.
var grant = regexp.MustCompile("(?i)^GRANT (.+?) ON (?:`((?:[^`]|``)+)`|(\\*))\\.\\*(?: |$)")

// seesDatabase says whether the user has a privilege on a whole database, and
// so sees all of its tables. A privilege on single tables shows only these.
func seesDatabase(name string, grants [][]*string) bool {
	for _, r := range grants {
		found := grant.FindStringSubmatch(text(r[0]))
		if found == nil || strings.EqualFold(found[1], "USAGE") || strings.EqualFold(found[1], "PROXY") {
			continue
		}
		if found[3] == "*" || like(strings.ReplaceAll(found[2], "``", "`"), name) {
			return true
		}
	}
	return false
}

// like matches a name against the pattern in which privileges name databases.
func like(pattern, name string) bool {
	var expr strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern):
			i++
			expr.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		case c == '%':
			expr.WriteString(".*")
		case c == '_':
			expr.WriteString(".")
		default:
			expr.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	match, err := regexp.MatchString("(?is)^"+expr.String()+"$", name)
	return err == nil && match
}

// checks are a table's check constraints without those by which MariaDB makes
// JSON of a text, and these columns' names.
func (d Dialect) checks(columns, rows [][]*string) (checks []schema.Check, json map[string]bool) {
	json = map[string]bool{}
	for _, r := range rows {
		check, ofType := schema.Check{Name: text(r[0]), Clause: text(r[1])}, false
		for _, c := range columns {
			if d.mariadb && check.Clause == "json_valid("+d.Quote(text(c[0]))+")" {
				json[text(c[0])], ofType = true, true
			}
		}
		if !ofType {
			checks = append(checks, check)
		}
	}
	return checks, json
}

// defaultOf is a column's default in SQL. MariaDB gives it so, and NULL spelled
// out; MySQL gives a literal as bare text and says what is an expression.
func (d Dialect) defaultOf(value *string, base, extra string) string {
	switch {
	case value == nil, d.mariadb && *value == "NULL":
		return ""
	case d.mariadb, strings.Contains(extra, "default_generated"), base == "bit", strings.HasPrefix(strings.ToUpper(*value), "CURRENT_TIMESTAMP"):
		return *value
	default:
		return "'" + strings.NewReplacer(`\`, `\\`, "'", "''").Replace(*value) + "'"
	}
}
