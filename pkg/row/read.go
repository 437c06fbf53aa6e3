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
