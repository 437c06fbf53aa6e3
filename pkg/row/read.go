package row

// Digest is what a server says about a range without sending its rows.
type Digest struct {
	// Rows is the number of rows in the range.
	Rows int64
	// Sum is the MD5 of the rows' frames in key order, as 32 hexadecimal
	// digits; empty when there are no rows.
	Sum string
	// Bytes is the number of bytes digested.
	Bytes int64
}

// Cursor hands out rows one at a time.
type Cursor interface {
	// Next returns the next row, or io.EOF after the last. The row's memory
	// belongs to the cursor and is reused by the following call. Any other
	// error means that the rest was not read, and says nothing about it.
	Next() (Row, error)
	// Close gives the connection back; it is safe to call at any time.
	Close() error
}

// Undecoded is a Cursor that can tell equal rows without decoding them: most
// rows of two sides that agree need not be looked into.
type Undecoded interface {
	Cursor
	// Advance moves to the next row. Its errors are those of Next.
	Advance() error
	// Wire is the row as its server sent it, in pieces that are nil where a
	// value is NULL. It belongs to the cursor and is reused by the following
	// Advance.
	Wire() [][]byte
	// Row decodes the row. Its memory is reused by the following Advance.
	Row() (Row, error)
	// Form tells what can be held against each other: where two cursors have
	// the same form, rows with the same wire are the same. Empty means that
	// the wire says nothing.
	Form() string
}
