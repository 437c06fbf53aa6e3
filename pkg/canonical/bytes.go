package canonical

import (
	"encoding/hex"
	"fmt"

	"github.com/trueup/trueup/pkg/row"
)

// AppendHex appends a byte string in lower-case hexadecimal digits.
func AppendHex(dst, raw []byte) []byte { return hex.AppendEncode(dst, raw) }

// DecodeHex returns the byte string of a Bytes value; NULL stays nil.
func DecodeHex(v row.Value) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	raw := make([]byte, hex.DecodedLen(len(v)))
	if _, err := hex.Decode(raw, v); err != nil {
		return nil, fmt.Errorf("not a byte string in hexadecimal digits: %w", err)
	}
	return raw, nil
}
