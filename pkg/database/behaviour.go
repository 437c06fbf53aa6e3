package database

import "github.com/trueup/trueup/pkg/dialect"

// Permanent says that trying again cannot help before somebody changes
// something: a privilege, a table.
func (e *Error) Permanent() bool {
	return e.Class == dialect.ClassDenied || e.Class == dialect.ClassSchema
}

// TooLarge says that the server refused the size of what was asked for; less
// may succeed.
func (e *Error) TooLarge() bool { return e.Class == dialect.ClassLimit }
