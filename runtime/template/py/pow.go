package py

import (
	"math"
	"math/big"
)

// pow is x to the power y, correctly rounded as C libraries round it in all but the rarest cases; math.Pow is off by a unit
// in the last place now and then.
func pow(x, y float64) float64 {
	r := math.Pow(x, y)
	if math.IsInf(r, 0) || math.IsNaN(r) || r == 0 || x == 0 || y == 0 || math.Abs(x) == 1 {
		return r
	}
	l := ln(math.Abs(x))
	l.Mul(l, number(y))
	f, _ := exp(l).Float64()
	if math.IsInf(f, 0) || f == 0 {
		return math.Copysign(f, r)
	}
	return math.Copysign(f, r)
}

const powBits = 160

func number(f float64) *big.Float { return new(big.Float).SetPrec(powBits).SetFloat64(f) }

var ln2 = lnNear1(number(2)) // by the same series

// ln is the natural logarithm of x > 0.
func ln(x float64) *big.Float {
	frac, e := math.Frexp(x)
	if frac < math.Sqrt2/2 {
		frac, e = 2*frac, e-1
	}
	l := lnNear1(number(frac))
	return l.Add(l, new(big.Float).Mul(ln2, number(float64(e))))
}

// lnNear1 is 2 atanh((x − 1) / (x + 1)).
func lnNear1(x *big.Float) *big.Float {
	one := number(1)
	z := new(big.Float).Quo(new(big.Float).Sub(x, one), new(big.Float).Add(x, one))
	square := new(big.Float).Mul(z, z)
	sum, term := number(0), new(big.Float).Set(z)
	for k := 1.0; term.Sign() != 0 && term.MantExp(nil) > -powBits; k += 2 {
		sum.Add(sum, new(big.Float).Quo(term, number(k)))
		term.Mul(term, square)
	}
	return sum.Mul(sum, number(2))
}

// exp is e to the power x.
func exp(x *big.Float) *big.Float {
	n, _ := new(big.Float).Quo(x, ln2).Float64()
	n = math.Round(n)
	r := new(big.Float).Sub(x, new(big.Float).Mul(ln2, number(n)))
	sum, term := number(1), number(1)
	for k := 1.0; ; k++ {
		term.Mul(term, r)
		term.Quo(term, number(k))
		if term.Sign() == 0 || term.MantExp(nil) < -powBits {
			break
		}
		sum.Add(sum, term)
	}
	return sum.SetMantExp(sum, int(n))
}
