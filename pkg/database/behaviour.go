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

// Untrusted says that encryption failed, or that a password or certificate could
// not be read from its file: both may be put right while the program waits.
func (e *Error) Untrusted() bool { return isTLS(e.Err) || isType[*secretError](e.Err) }
