package canonical

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/trueup/trueup/pkg/row"
)

// nearly are random numbers, many of them near each other and near the limits
// that rules draw.
func nearly(random *rand.Rand, single bool) (a, b float64) {
	a = math.Round(random.NormFloat64()*1e4) / math.Pow10(random.IntN(6)) * math.Pow10(random.IntN(20)-10)
	switch random.IntN(4) {
	case 0:
		b = a * (1 + math.Round(random.NormFloat64()*30)/1000)
	case 1:
		b = a
		for range random.IntN(7) {
			if single {
				b = float64(math.Nextafter32(float32(b), float32(random.IntN(3)-1)))
			} else {
				b = math.Nextafter(b, float64(random.IntN(3)-1))
			}
		}
	case 2:
		b = a + math.Round(random.NormFloat64()*3)/100
	default:
		b = -a
	}
	if single {
		return float64(float32(a)), float64(float32(b))
	}
	return a, b
}

func textsOf(kind Kind, a, b float64) (row.Value, row.Value) {
	if kind == Float32 {
		return AppendFloat32(nil, float32(a)), AppendFloat32(nil, float32(b))
	}
	x, y := AppendFloat64(nil, a), AppendFloat64(nil, b)
	if kind == Decimal {
		x, _ = AppendDecimal(nil, x)
		y, _ = AppendDecimal(nil, y)
	}
	return x, y
}

// The rules for numbers against a slow judge that knows nothing of digits: the
// same laws in rational arithmetic. On the way: a value equals itself, and the
// order of two does not matter.
func TestNumbersAreNearAsRationalArithmeticHasIt(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	settings := []float64{1e-9, 0.001, 0.01, 0.02, 0.03, 0.5}
	equal := map[string]int{}
	const rounds = 30_000
	for range rounds {
		kind := []Kind{Decimal, Float64, Float32}[random.IntN(3)]
		p, q := nearly(random, kind == Float32)
		a, b := textsOf(kind, p, q)
		setting := settings[random.IntN(len(settings))]
		scale := random.IntN(5)
		x, y := rational(t, string(a)), rational(t, string(b))
		limit := rational(t, strconv.FormatFloat(setting, 'f', -1, 64))
		for name, c := range map[string]struct {
			rule Rule
			want bool
		}{
			"tolerance": {Rule{Tolerance: setting}, apart(x, y).Cmp(limit) <= 0},
			"relative":  {Rule{Relative: setting}, apart(x, y).Cmp(new(big.Rat).Mul(limit, greater(x, y))) <= 0},
			"scale":     {Rule{Scale: &scale}, roundedSlowly(x, scale).Cmp(roundedSlowly(y, scale)) == 0},
		} {
			got := Equal(Type{Kind: kind}, c.rule, a, b)
			if got != c.want {
				t.Fatalf("%s, %s %v, scale %d: %s and %s: got %v", kind, name, setting, scale, a, b, got)
			}
			if got != Equal(Type{Kind: kind}, c.rule, b, a) {
				t.Fatalf("%s, %s: %s and %s: the order matters", kind, name, a, b)
			}
			if !Equal(Type{Kind: kind}, c.rule, a, a.Clone()) {
				t.Fatalf("%s, %s: %s does not equal itself", kind, name, a)
			}
			if got {
				equal[name]++
			}
		}
	}
	for name, n := range equal {
		if n < rounds/20 || n > rounds*19/20 {
			t.Errorf("%s: %d of %d pairs are equal, which tests one answer only", name, n, rounds)
		}
	}
}

func apart(x, y *big.Rat) *big.Rat {
	d := new(big.Rat).Sub(x, y)
	return d.Abs(d)
}

func greater(x, y *big.Rat) *big.Rat {
	p, q := new(big.Rat).Abs(x), new(big.Rat).Abs(y)
	if p.Cmp(q) < 0 {
		return q
	}
	return p
}

// roundedSlowly: floor(|x| × 10^scale + 1/2), with the sign of x.
func roundedSlowly(x *big.Rat, scale int) *big.Int {
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
	v := new(big.Rat).Abs(x)
	v.Mul(v, new(big.Rat).SetInt(power)).Add(v, big.NewRat(1, 2))
	whole := new(big.Int).Quo(v.Num(), v.Denom())
	if x.Sign() < 0 {
		whole.Neg(whole)
	}
	return whole
}

// The distance in units in the last place against one that goes step by step.
func TestULPsAreStepsToTheNextNumber(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 30_000 {
		kind := []Kind{Float64, Float32}[random.IntN(2)]
		a, b := nearly(random, kind == Float32)
		if random.IntN(4) == 0 { // around zero
			a, b = a*1e-323, 0
			if kind == Float32 {
				a = float64(math.SmallestNonzeroFloat32) * float64(random.IntN(9)-4)
			}
		}
		steps := stepsBetween(kind, min(a, b), max(a, b), 6)
		x, y := textsOf(kind, a, b)
		for limit := 1; limit < 6; limit++ {
			for _, order := range [][2]row.Value{{x, y}, {y, x}, {x, x.Clone()}} {
				want := steps <= limit || &order[0][0] == &x[0] && string(order[1]) == string(x)
				if got := Equal(Type{Kind: kind}, Rule{ULP: limit}, order[0], order[1]); got != want {
					t.Fatalf("%s, %d ulp: %s and %s are %d steps apart: got %v", kind, limit, order[0], order[1], steps, got)
				}
			}
		}
	}
}

func stepsBetween(kind Kind, low, high float64, most int) int {
	steps := 0
	for ; low < high && steps < most; steps++ {
		if kind == Float32 {
			low = float64(math.Nextafter32(float32(low), float32(math.Inf(1))))
		} else {
			low = math.Nextafter(low, math.Inf(1))
		}
	}
	return steps
}

func FuzzRules(f *testing.F) {
	f.Add("1.10", "-0.00", uint8(2), 0.1)
	f.Add("12345e-3", "1e300", uint8(0), 1e-9)
	f.Fuzz(func(t *testing.T, a, b string, scale uint8, share float64) {
		x, okX := decimalOf(t, a)
		y, okY := decimalOf(t, b)
		if !okX || !okY || len(x) > 2000 || len(y) > 2000 || isSpecialNumber([]byte(x)) || isSpecialNumber([]byte(y)) {
			return
		}
		digits := int(scale)
		p, q := rational(t, x), rational(t, y)
		want := roundedSlowly(p, digits).Cmp(roundedSlowly(q, digits)) == 0
		if got := Equal(Type{Kind: Decimal}, Rule{Scale: &digits}, row.Value(x), row.Value(y)); got != want {
			t.Errorf("%s and %s in %d fractional digits: got %v", x, y, digits, got)
		}
		rule := Rule{Relative: share}
		if !(share > 1e-30) || rule.Validate(Type{Kind: Decimal}) != nil {
			return
		}
		limit := rational(t, strconv.FormatFloat(share, 'f', -1, 64))
		want = apart(p, q).Cmp(limit.Mul(limit, greater(p, q))) <= 0
		if got := Equal(Type{Kind: Decimal}, rule, row.Value(x), row.Value(y)); got != want {
			t.Errorf("%s and %s within a share of %v: got %v", x, y, share, got)
		}
	})
}
