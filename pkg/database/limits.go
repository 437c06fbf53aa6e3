package database

import (
	"github.com/trueup/trueup/pkg/dialect"
)

// limits bound one statement.
type limits struct {
	args  int
	bytes int
}

const (
	// maxArgs is below the 65,535 placeholders that both protocols can count.
	maxArgs = 60_000
	// maxItems bounds the keys or rows of a statement. MariaDB turns lists of
	// 1,000 values or more into a subquery (in_predicate_conversion_threshold),
	// and MySQL gives up the index range when its description outgrows
	// range_optimizer_max_mem_size: 8 MiB, some 230 bytes for a value.
	maxItems = 500
	// maxBytes bounds a statement's memory on both ends; servers allow more.
	maxBytes = 16 << 20
	// postgresPacket is what PostgreSQL takes in one message.
	postgresPacket = 1 << 30
)

// limitsOf leaves half a packet for what is not counted: the text of the
// statement, type bytes and lengths.
func limitsOf(packet int64) limits {
	return limits{args: maxArgs, bytes: int(min(packet/2, maxBytes))}
}

func (l limits) allow(q dialect.Query) bool {
	if len(q.Args) > l.args {
		return false
	}
	size := len(q.SQL)
	for _, a := range q.Args {
		switch a := a.(type) {
		case string:
			size += len(a)
		case []byte:
			size += len(a)
		default:
			size += 8
		}
	}
	return size <= l.bytes
}

// split hands items to run in statements that keep within the limits, in the
// order given. A single item is never held back: whether it is too large, its
// server decides.
func split[T any](l limits, items []T, build func([]T) dialect.Query, run func(dialect.Query) error) error {
	for len(items) > 0 {
		n := min(len(items), maxItems)
		q := build(items[:n])
		for n > 1 && !l.allow(q) {
			n = (n + 1) / 2
			q = build(items[:n])
		}
		if err := run(q); err != nil {
			return err
		}
		items = items[n:]
	}
	return nil
}
