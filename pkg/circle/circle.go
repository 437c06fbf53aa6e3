// Package circle says what processes that divide something among themselves need of
// a third party: one that knows which of them live, as Kafka's group coordinator does.
package circle

import (
	"context"
	"errors"
)

// Circle is one process's place in such a group. Its methods are called one at a time.
//
// An error with a method `Again() bool` returning true says that the members
// change: everybody joins once more. One with `Evicted() bool` says that this
// process was taken for dead. All others say nothing about the circle.
type Circle interface {
	// Join enters the circle, or begins a new round in it, with what this process
	// says of itself, and returns when everybody has or was taken for dead. One of
	// them is told what everybody said, by process; the others get nil.
	Join(ctx context.Context, said []byte) (everyone map[string][]byte, err error)
	// Sync hands out parts, by process, where Join returned what everybody said,
	// and nil elsewhere. It returns this process's part.
	Sync(ctx context.Context, parts map[string][]byte) (part []byte, err error)
	// Beat says that this process lives.
	Beat(ctx context.Context) error
	// Leave makes room for the others.
	Leave(ctx context.Context) error
}

// Again says whether an error of a circle means that everybody joins once more.
func Again(err error) bool {
	e, ok := errors.AsType[interface {
		error
		Again() bool
	}](err)
	return ok && e.Again()
}

// Evicted says whether an error of a circle means that this process was taken for dead.
func Evicted(err error) bool {
	e, ok := errors.AsType[interface {
		error
		Evicted() bool
	}](err)
	return ok && e.Evicted()
}
