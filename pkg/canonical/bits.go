package canonical

import (
	"errors"
	"fmt"
)

var errBits = errors.New("not a string of binary digits")

// AppendBitsBytes appends the last width bits of a big-endian number, most
// significant first: the form of MySQL's BIT(n). A bit set beyond width is an
// error. On an error dst is returned as it was.
func AppendBitsBytes(dst, raw []byte, width int) ([]byte, error) {
	out := dst
	total := len(raw) * 8
	for i := total; i < width; i++ {
		out = append(out, '0')
	}
	for i := range total {
		bit := raw[i/8] >> (7 - i%8) & 1
		if total-i > width {
			if bit == 1 {
				return dst, fmt.Errorf("a bit string longer than its column's %d bits", width)
			}
			continue
		}
		out = append(out, '0'+bit)
	}
	return out, nil
}

// AppendBitsText appends the binary digits PostgreSQL prints.
func AppendBitsText(dst, text []byte) ([]byte, error) {
	for _, c := range text {
		if c != '0' && c != '1' {
			return dst, errBits
		}
	}
	return append(dst, text...), nil
}
