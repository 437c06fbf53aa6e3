package canonical

import (
	"math"
	"math/big"
	"strconv"
)

// equalNumbers applies the rules for numbers, in exact decimal arithmetic on
// their texts, so that 1.1 and 1.0 are 0.1 apart and not a little more. NaN and
// the infinities are near nothing but themselves.
func equalNumbers(t Type, rule Rule, a, b []byte) bool {
	if rule.ULP > 0 && t.Kind.float() && withinULP(rule.ULP, rule.single || t.Kind == Float32, a, b) {
		return true
	}
	if !rule.approximates() {
		return false
	}
	x, okX := parseNumber(a)
	y, okY := parseNumber(b)
	switch {
	case !okX || !okY || !x.withinReach() || !y.withinReach():
		return false
	case rule.Scale != nil:
		return x.rounded(int64(*rule.Scale)).Cmp(y.rounded(int64(*rule.Scale))) == 0
	default:
		return rule.Tolerance > 0 && withinTolerance(rule.Tolerance, x, y) ||
			rule.Relative > 0 && withinShare(rule.Relative, x, y)
	}
}

func withinTolerance(tolerance float64, x, y number) bool {
	limit := exactly(tolerance)
	exponent := min(x.exponent(), y.exponent(), limit.exponent())
	difference := x.scaled(exponent)
	difference.Sub(difference, y.scaled(exponent))
	return difference.CmpAbs(limit.scaled(exponent)) <= 0
}

// withinShare: |x−y| ≤ share × max(|x|, |y|).
func withinShare(share float64, x, y number) bool {
	limit := exactly(share)
	exponent := min(x.exponent(), y.exponent())
	p, q := x.scaled(exponent), y.scaled(exponent)
	greater := p
	if q.CmpAbs(p) > 0 {
		greater = q
	}
	allowed := new(big.Int).Mul(greater, limit.scaled(limit.exponent()))
	// The share is below 1, so its exponent is negative.
	difference := new(big.Int).Sub(p, q)
	return difference.Mul(difference, powerOfTen(-limit.exponent())).CmpAbs(allowed) <= 0
}

// exactly is a setting as the number that was written: 1e-9, not the nearest
// binary one.
func exactly(setting float64) number {
	n, _ := parseNumber(strconv.AppendFloat(nil, setting, 'e', -1, 64))
	return n
}

func powerOfTen(n int64) *big.Int {
	power := big.NewInt(n)
	return power.Exp(big.NewInt(10), power, nil)
}

// rounded is the number times 10^scale, rounded to a whole one, half away from
// zero.
func (n number) rounded(scale int64) *big.Int {
	if n.exponent() >= -scale {
		return n.scaled(-scale)
	}
	unit := powerOfTen(-scale - n.exponent())
	whole, rest := new(big.Int).QuoRem(n.scaled(n.exponent()), unit, new(big.Int))
	if rest.Lsh(rest, 1); rest.CmpAbs(unit) < 0 {
		return whole
	}
	return whole.Add(whole, big.NewInt(int64(rest.Sign())))
}

// withinULP says whether the numbers are at most limit steps apart, in single or
// double precision.
func withinULP(limit int, single bool, a, b []byte) bool {
	x, okX := finite(a, single)
	y, okY := finite(b, single)
	if !okX || !okY {
		return false
	}
	p, q := step(x, single), step(y, single)
	if p < q {
		p, q = q, p
	}
	return uint64(p)-uint64(q) <= uint64(limit) // also where p−q is beyond int64
}

// finite reads a number; in single precision too it must be one.
func finite(text []byte, single bool) (float64, bool) {
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, false
	}
	if single {
		f = float64(float32(f))
	}
	return f, !math.IsInf(f, 0)
}

// step numbers the floating-point numbers in their order, both zeros 0: their
// bits count up with their magnitude (IEEE 754).
func step(f float64, single bool) int64 {
	magnitude := int64(math.Float64bits(math.Abs(f)))
	if single {
		magnitude = int64(math.Float32bits(float32(math.Abs(f))))
	}
	if f < 0 {
		return -magnitude
	}
	return magnitude
}
