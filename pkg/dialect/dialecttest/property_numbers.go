package dialecttest

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
)

// Domain draws a random value, more often than not one at an edge. The text is
// the value's plain one, which means the same to every engine once it is
// spelled in a Form.
type Domain func(r *rand.Rand) string

// Either draws from one of several domains.
func Either(domains ...Domain) Domain {
	return func(r *rand.Rand) string { return domains[r.IntN(len(domains))](r) }
}

// OneOf draws one of the given values.
func OneOf(values ...string) Domain {
	return func(r *rand.Rand) string { return values[r.IntN(len(values))] }
}

// Integers draws whole numbers from low to high: the ends, zero, and powers of
// two and ten with their neighbours.
func Integers(low, high string) Domain {
	least, most := whole(low), whole(high)
	return func(r *rand.Rand) string {
		for {
			if n := integer(r, most.BitLen()); n.Cmp(least) >= 0 && n.Cmp(most) <= 0 {
				return n.String()
			}
			if r.IntN(4) == 0 {
				return []string{low, high}[r.IntN(2)]
			}
		}
	}
}

func whole(digits string) *big.Int {
	n, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		panic("not a whole number: " + digits)
	}
	return n
}

// integer is a number of at most so many bits, of either sign.
func integer(r *rand.Rand, bits int) *big.Int {
	n := new(big.Int)
	switch size := r.IntN(bits + 1); r.IntN(4) {
	case 0:
		n.SetInt64(int64(r.IntN(3)))
	case 1: // a power of two, or a neighbour
		n.Add(n.Lsh(big.NewInt(1), uint(size)), big.NewInt(int64(r.IntN(3)-1)))
	case 2: // a power of ten, or a neighbour
		n.Exp(big.NewInt(10), big.NewInt(int64(size)*3/10), nil)
		n.Add(n, big.NewInt(int64(r.IntN(3)-1)))
	default:
		for range size {
			n.Lsh(n, 1)
			n.SetBit(n, 0, uint(r.IntN(2)))
		}
	}
	if r.IntN(2) == 0 {
		n.Neg(n)
	}
	return n
}

// Decimals draws numbers of a decimal(precision, scale): of few and of all
// digits, with zeros at the end or without.
func Decimals(precision, scale int) Domain {
	most := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(precision)), nil)
	most.Sub(most, big.NewInt(1))
	return func(r *rand.Rand) string {
		n := integer(r, most.BitLen())
		if n.CmpAbs(most) > 0 {
			n.Set(most)
		}
		return pointed(r, n, scale)
	}
}

// pointed is n with its last scale digits behind a point; zeros at the end may
// be left out, and zero may have a sign.
func pointed(r *rand.Rand, n *big.Int, scale int) string {
	digits := new(big.Int).Abs(n).String()
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	if scale > 0 {
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
		if r.IntN(2) == 0 {
			digits = strings.TrimRight(strings.TrimRight(digits, "0"), ".")
		}
	}
	if n.Sign() < 0 || n.Sign() == 0 && r.IntN(2) == 0 {
		digits = "-" + digits
	}
	return digits
}

// Floats draws finite binary floating-point numbers of 32 or 64 bits, all their
// digits spelled out: zeros of both signs, the ends, denormals, and any bits.
func Floats(bits int) Domain {
	edges := []float64{
		0, math.Copysign(0, -1), 1, -1, 0.1, 1.0 / 3, 1e21, 1e-7, 1 << 53, 1<<53 + 2,
		math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 0x1p-1022, 0x1p-1022 - 0x1p-1074, 0x1.fffffffffffffp0,
	}
	if bits == 32 {
		edges = []float64{
			0, math.Copysign(0, -1), 1, -1, float64(float32(0.1)), float64(float32(1.0 / 3)), 1 << 24, 1<<24 + 2,
			math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, 0x1p-126, 0x1p-126 - 0x1p-149, 0x1.fffffep0,
		}
	}
	return func(r *rand.Rand) string {
		f := edges[r.IntN(len(edges))]
		switch r.IntN(4) {
		case 0: // any bits
			if f = math.Float64frombits(r.Uint64()); bits == 32 {
				f = float64(math.Float32frombits(r.Uint32()))
			}
		case 1: // a number people write
			if f = float64(r.IntN(2_000_001)-1_000_000) / math.Pow10(r.IntN(8)); bits == 32 {
				f = float64(float32(f))
			}
		case 2: // either zero
			f = edges[r.IntN(2)]
		}
		if math.IsNaN(f) || math.IsInf(f, 0) {
			f = 0
		}
		return strconv.FormatFloat(f, 'e', 16, 64)
	}
}

// BitStrings draws binary digits, from least to most of them.
func BitStrings(least, most int) Domain {
	return func(r *rand.Rand) string {
		width := least + r.IntN(most-least+1)
		switch r.IntN(4) {
		case 0:
			return strings.Repeat("0", width)
		case 1:
			return strings.Repeat("1", width)
		}
		digits := make([]byte, width)
		for i := range digits {
			digits[i] = '0' + byte(r.IntN(2))
		}
		return string(digits)
	}
}
