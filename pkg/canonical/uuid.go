package canonical

import (
	"encoding/hex"
	"fmt"
)

const (
	uuidBytes = 16
	// uuidText is the length of 8-4-4-4-12 digits with dashes (RFC 9562 §4).
	uuidText = 36
)

// AppendUUID appends the text of a UUID stored as its 16 bytes, in the order
// RFC 9562 gives them (MySQL's UUID_TO_BIN without swap).
func AppendUUID(dst, raw16 []byte) ([]byte, error) {
	if len(raw16) != uuidBytes {
		return dst, fmt.Errorf("not a UUID: %d bytes instead of %d", len(raw16), uuidBytes)
	}
	for i, group := range [...][]byte{raw16[:4], raw16[4:6], raw16[6:8], raw16[8:10], raw16[10:]} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, group)
	}
	return dst, nil
}

// AppendUUIDText appends a UUID that is stored as text, in lower case. A text
// that is no UUID stays as it is: the column may hold anything, and the
// comparison against a real UUID then says that the two differ.
func AppendUUIDText(dst, text []byte) ([]byte, error) {
	if !isUUID(text) {
		return append(dst, text...), nil
	}
	for _, c := range text {
		if 'A' <= c && c <= 'F' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst, nil
}

// DecodeUUID returns the 16 bytes of a UUID in text form.
func DecodeUUID(text []byte) ([]byte, error) {
	if !isUUID(text) {
		return nil, fmt.Errorf("not a UUID: expected %d characters as 8-4-4-4-12 hexadecimal digits", uuidText)
	}
	raw := make([]byte, 0, uuidBytes)
	for _, group := range [...][]byte{text[:8], text[9:13], text[14:18], text[19:23], text[24:]} {
		raw, _ = hex.AppendDecode(raw, group) // isUUID has seen the digits
	}
	return raw, nil
}

func isUUID(text []byte) bool {
	if len(text) != uuidText {
		return false
	}
	for i, c := range text {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if !isHexDigit(c) {
				return false
			}
		}
	}
	return true
}

func isHexDigit(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
