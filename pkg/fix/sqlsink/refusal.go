package sqlsink

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/schema"
)

// The two ways in which a row can be at fault.
const (
	refused    = "%s refuses the row%s%s"
	unreadable = "a row of %s cannot be read%s%s; exclude the column, or correct its value"
)

// classified says in package fix's words what an error of package database
// means; fault is the sentence for a row at fault.
func classified(view *schema.View, fault string, err error) error {
	if err == nil {
		return nil
	}
	if _, done := errors.AsType[*fix.Error](err); done {
		return err
	}
	e := &fix.Error{Fault: faultOf(database.ClassOf(err)), Err: err}
	text := innermost(err)
	if e.Fault == fix.Duplicate {
		e.Reason = duplicate(view, text)
	}
	if untranslatable, found := errors.AsType[*dialect.UntranslatableError](err); found {
		e.Reason = fmt.Sprintf("the row cannot be written to %s: %v", view.Table.Name, untranslatable)
		return e
	}
	if e.Fault == fix.Limit {
		e.Reason = fmt.Sprintf("a row of %s is larger than its server sends or takes at once%s; raise that limit, such as max_allowed_packet of MySQL, and have the row tried again", view.Table.Name, codeOf(text))
	}
	if e.Fault == fix.RowRefused || e.Fault == fix.Reference {
		e.Reason = fmt.Sprintf(fault, view.Table.Name, because(view, text), codeOf(text))
	}
	return e
}

// locked is classified for the statements that hold or read rows. They wait for
// none, so what they still meet is held as a whole.
func locked(view *schema.View, err error) error {
	err = classified(view, refused, err)
	if fix.FaultOf(err) != fix.Contention {
		return err
	}
	return &fix.Error{Fault: fix.Locked, Err: fmt.Errorf("%s is locked as a whole, as while it is altered or backed up: %w", view.Table.Name, err)}
}

func faultOf(class dialect.Class) fix.Fault {
	switch class {
	case dialect.ClassTransient:
		return fix.Transient
	case dialect.ClassContention:
		return fix.Contention
	case dialect.ClassRow:
		return fix.RowRefused
	case dialect.ClassReference:
		return fix.Reference
	case dialect.ClassDuplicate:
		return fix.Duplicate
	case dialect.ClassLimit:
		return fix.Limit
	default: // denied, schema, unknown
		return fix.Permanent
	}
}

// Servers quote the rejected value in their messages ("Duplicate entry 'ann@…'
// for key 'email'"), and outcomes carry no row data. So a reason is put
// together anew, and what it takes from the message is a name: the constraint's
// where the grammar of the message says it stands, or the column's if the table
// has one of that name.
var (
	constraintNames = []*regexp.Regexp{
		// MySQL, MariaDB 1062; the value stands before, so the last match counts.
		regexp.MustCompile("(?s)^Error 1062 .*for key '([^']+)'$"),
		// MySQL, MariaDB 1451, 1452: foreign keys.
		regexp.MustCompile("(?s)^Error 145[12] .*CONSTRAINT `([^`]+)` FOREIGN KEY"),
		// MariaDB 4025 and MySQL 3819: checks.
		regexp.MustCompile("^Error 4025 .*: CONSTRAINT `([^`]+)` failed for "),
		regexp.MustCompile("^Error 3819 .*: Check constraint '([^']+)' is violated"),
		// PostgreSQL, class 23; its values are in the detail, which is not in the text.
		regexp.MustCompile(`constraint "([^"]+)" \(SQLSTATE 23`),
		regexp.MustCompile(`constraint "([^"]+)" on table "[^"]+" \(SQLSTATE 23`),
	}
	columnNames = regexp.MustCompile("(?i)column ['\"`]([^'\"`]+)['\"`]")
	code        = regexp.MustCompile(`^Error (\d+) |\(SQLSTATE ([0-9A-Z]{5})\)$`)
)

func duplicate(view *schema.View, text string) string {
	key := "a unique key"
	if constraint := constraintOf(text); constraint != "" {
		key = "unique key " + constraint
	}
	return fmt.Sprintf("another row of %s has the same value in %s; repair or remove that row first", view.Table.Name, key)
}

func because(view *schema.View, text string) string {
	if constraint := constraintOf(text); constraint != "" {
		return " because of constraint " + constraint
	}
	if column := columnOf(view, text); column != "" {
		return " because of column " + column
	}
	return ""
}

// innermost is the text of the driver's own error.
func innermost(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

func constraintOf(text string) string {
	for _, pattern := range constraintNames {
		if all := pattern.FindAllStringSubmatch(text, -1); len(all) > 0 {
			return all[len(all)-1][1]
		}
	}
	return ""
}

func columnOf(view *schema.View, text string) string {
	for _, match := range columnNames.FindAllStringSubmatch(text, -1) {
		for _, c := range view.Table.Columns {
			if strings.EqualFold(c.Name, match[1]) {
				return c.Name
			}
		}
	}
	return ""
}

// codeOf is the server's own code, for looking it up.
func codeOf(text string) string {
	match := code.FindStringSubmatch(text)
	switch {
	case match == nil:
		return ""
	case match[1] != "":
		return " (server error " + match[1] + ")"
	default:
		return " (SQLSTATE " + match[2] + ")"
	}
}
