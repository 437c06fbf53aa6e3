package database

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/trueup/trueup/pkg/dialect"
)

// rawText is a value as text, for descriptions and counts; NULL is empty.
func rawText(r dialect.Raw) string {
	switch r.Kind {
	case dialect.RawInt:
		return strconv.FormatInt(r.Int, 10)
	case dialect.RawUint:
		return strconv.FormatUint(r.Uint, 10)
	case dialect.RawFloat32:
		return strconv.FormatFloat(r.Float, 'g', -1, 32)
	case dialect.RawFloat64:
		return strconv.FormatFloat(r.Float, 'g', -1, 64)
	case dialect.RawBytes:
		return string(r.Bytes)
	case dialect.RawNull:
		return ""
	default:
		return ""
	}
}

// count reads a whole number; a server may send it as an integer or, for a sum,
// as a decimal. NULL is not zero.
func count(text *string) (int64, error) {
	if text == nil {
		return 0, errors.New("the server counts NULL")
	}
	n, err := strconv.ParseInt(*text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("the server counts %q, which is no whole number", *text)
	}
	return n, nil
}
