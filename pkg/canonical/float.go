package canonical

import (
	"errors"
	"math"
	"strconv"
)

var errFloat = errors.New("not a floating-point number of its column's size")

// AppendFloat64 appends v in the fewest digits that read back to the same bits.
// Both zeros are 0; the others without digits are NaN, Infinity and -Infinity.
func AppendFloat64(dst []byte, v float64) []byte { return appendFloat(dst, v, 64) }

// AppendFloat32 is AppendFloat64 for single precision.
func AppendFloat32(dst []byte, v float32) []byte { return appendFloat(dst, float64(v), 32) }

// AppendFloatText appends the floating-point number a server printed. bits is
// the size of the column's type, 32 or 64. The server must print enough digits
// (9 or 17): what it left out cannot be recovered here. On an error dst is
// returned as it was.
func AppendFloatText(dst, text []byte, bits int) ([]byte, error) {
	v, err := strconv.ParseFloat(string(text), bits)
	if err != nil {
		return dst, errFloat
	}
	return appendFloat(dst, v, bits), nil
}

func appendFloat(dst []byte, v float64, bits int) []byte {
	switch {
	case v == 0: // -0 as well
		return append(dst, '0')
	case math.IsNaN(v):
		return append(dst, "NaN"...)
	case math.IsInf(v, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(v, -1):
		return append(dst, "-Infinity"...)
	}
	// An exponent only where plain digits would be mostly zeros, as JavaScript
	// and JSON encoders do.
	format := byte('f')
	if abs := math.Abs(v); abs < 1e-6 || abs >= 1e21 {
		format = 'e'
	}
	return strconv.AppendFloat(dst, v, format, -1, bits)
}
