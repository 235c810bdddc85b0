package constrain

import (
	"fmt"
	"math/big"
	"strings"
)

// bound is a limit of a number, nil for none.
type bound struct {
	value  *big.Rat
	strict bool // the value itself is excluded
}

// tighter returns the one that allows less of two lower bounds (sign 1) or upper
// bounds (sign −1).
func (b bound) tighter(c bound, sign int) bound {
	switch {
	case b.value == nil:
		return c
	case c.value == nil:
		return b
	}
	switch cmp := b.value.Cmp(c.value) * sign; {
	case cmp > 0 || cmp == 0 && b.strict:
		return b
	}
	return c
}

// integers is the expression of the integers between two bounds.
func integers(lo, hi bound) (node, error) {
	a, b := ceil(lo), ceil(bound{negated(hi.value), hi.strict})
	if a == nil && b == nil {
		return jsonInteger, nil
	}
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(maxDigits), nil)
	if a == nil || a.CmpAbs(limit) >= 0 && a.Sign() < 0 {
		a = new(big.Int).Add(new(big.Int).Neg(limit), big.NewInt(1))
	}
	if b != nil {
		b.Neg(b)
	}
	if b == nil || b.CmpAbs(limit) >= 0 && b.Sign() > 0 {
		b = new(big.Int).Sub(limit, big.NewInt(1))
	}
	if a.CmpAbs(limit) >= 0 || b.CmpAbs(limit) >= 0 || a.Cmp(b) > 0 {
		return nil, fmt.Errorf("no integer of up to %d digits lies between the bounds", maxDigits)
	}
	var list choice
	if a.Sign() < 0 {
		top := new(big.Int).Neg(a)
		least := big.NewInt(1)
		if b.Sign() < 0 {
			least = new(big.Int).Neg(b)
		}
		list = append(list, seq{literal("-"), naturals(least, top)})
	}
	if b.Sign() >= 0 {
		least := new(big.Int)
		if a.Sign() > 0 {
			least = a
		}
		list = append(list, naturals(least, b))
	}
	return list, nil
}

func negated(v *big.Rat) *big.Rat {
	if v == nil {
		return nil
	}
	return new(big.Rat).Neg(v)
}

// ceil is the least integer within a lower bound, nil if there is none.
func ceil(b bound) *big.Int {
	if b.value == nil {
		return nil
	}
	q, m := new(big.Int).DivMod(b.value.Num(), b.value.Denom(), new(big.Int))
	if m.Sign() != 0 || b.strict {
		q.Add(q, big.NewInt(1))
	}
	return q
}

// naturals is the expression of lo … hi in decimal, 0 ≤ lo ≤ hi.
func naturals(lo, hi *big.Int) node {
	a, b := lo.String(), hi.String()
	var list choice
	for n := len(a); n <= len(b); n++ {
		from, to := "1"+strings.Repeat("0", n-1), strings.Repeat("9", n)
		if n == 1 {
			from = "0"
		}
		if n == len(a) {
			from = a
		}
		if n == len(b) {
			to = b
		}
		list = append(list, digitRange(from, to))
	}
	return list
}

// digitRange is the expression of the texts of digits from a to b, of the same
// length.
func digitRange(a, b string) node {
	if a == "" {
		return empty
	}
	n := len(a) - 1
	if a[0] == b[0] {
		return seq{literal(a[:1]), digitRange(a[1:], b[1:])}
	}
	if strings.Trim(a[1:], "0") == "" && strings.Trim(b[1:], "9") == "" {
		return seq{chars{{rune(a[0]), rune(b[0])}}, repeat{digit, n, n}}
	}
	list := choice{
		seq{literal(a[:1]), digitRange(a[1:], strings.Repeat("9", n))},
		seq{literal(b[:1]), digitRange(strings.Repeat("0", n), b[1:])},
	}
	if a[0]+1 < b[0] {
		list = append(list, seq{chars{{rune(a[0]) + 1, rune(b[0]) - 1}}, repeat{digit, n, n}})
	}
	return list
}

// numbers is the expression of the numbers between two bounds, written without
// exponents. The bounds have at most maxDigits decimals.
func numbers(lo, hi bound) (node, error) {
	if lo.value == nil && hi.value == nil {
		return jsonNumber, nil
	}
	var list choice
	zero := new(big.Rat)
	if lo.value == nil || lo.value.Sign() < 0 {
		a := bound{zero, true}
		if hi.value != nil && hi.value.Sign() < 0 {
			a = bound{negated(hi.value), hi.strict}
		}
		n, err := positives(a, bound{negated(lo.value), lo.strict})
		if err != nil {
			return nil, err
		}
		list = append(list, seq{literal("-"), n})
	}
	if hi.value == nil || hi.value.Sign() > 0 || hi.value.Sign() == 0 && !hi.strict {
		a := bound{zero, false}
		if lo.value != nil && lo.value.Sign() >= 0 {
			a = lo
		}
		n, err := positives(a, hi)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, nil
}

// positives is the expression of the numbers between two bounds that are not
// negative.
func positives(lo, hi bound) (node, error) {
	a, fa, err := decimals(lo.value)
	if err != nil {
		return nil, err
	}
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(maxDigits), nil)
	b, fb := new(big.Int).Sub(limit, big.NewInt(1)), ""
	if hi.value != nil {
		if b, fb, err = decimals(hi.value); err != nil {
			return nil, err
		}
	}
	if b.Cmp(limit) >= 0 {
		b, hi.value = new(big.Int).Sub(limit, big.NewInt(1)), nil
	}
	if a.Cmp(b) > 0 {
		return nothing, nil
	}
	anyFraction := opt(seq{literal("."), repeat{digit, 1, maxDigits}})
	low, high := fraction{digits: fa, tight: true, strict: lo.strict}, fraction{digits: fb, tight: hi.value != nil, strict: hi.strict}
	if a.Cmp(b) == 0 {
		return seq{literal(a.String()), between(low, high, true)}, nil
	}
	list := choice{seq{literal(a.String()), between(low, fraction{}, true)}, seq{literal(b.String()), between(fraction{}, high, true)}}
	if x, y := new(big.Int).Add(a, big.NewInt(1)), new(big.Int).Sub(b, big.NewInt(1)); x.Cmp(y) <= 0 {
		list = append(list, seq{naturals(x, y), anyFraction})
	}
	return list, nil
}

// decimals splits a number that is not negative into its integer and the digits
// of its fraction.
func decimals(v *big.Rat) (*big.Int, string, error) {
	text := v.FloatString(maxDigits)
	if back, ok := new(big.Rat).SetString(text); !ok || back.Cmp(v) != 0 {
		return nil, "", fmt.Errorf("the bound %s has more than %d decimals", v.FloatString(maxDigits+4), maxDigits)
	}
	whole, digits, _ := strings.Cut(text, ".")
	n, ok := new(big.Int).SetString(whole, 10)
	if !ok {
		return nil, "", fmt.Errorf("the bound %s is no number", text)
	}
	return n, strings.TrimRight(digits, "0"), nil
}

// fraction is a bound of the digits behind the point; it counts while the digits
// so far are those of the bound.
type fraction struct {
	digits string // that are left
	tight  bool
	strict bool
}

// pop returns the next digit of a bound, '0' behind its end, and the rest.
func (f fraction) pop() (byte, fraction) {
	if f.digits == "" {
		return '0', f
	}
	return f.digits[0], fraction{f.digits[1:], f.tight, f.strict}
}

// between is the expression of the fractions between two bounds, from the point
// on, or from a later digit.
func between(lo, hi fraction, point bool) node {
	var list choice
	lowOK := !lo.tight || lo.digits == "" && !lo.strict
	highOK := !hi.tight || hi.digits != "" || !hi.strict
	if lowOK && highOK {
		list = append(list, empty)
	}
	var more node
	switch {
	case !lo.tight && !hi.tight:
		more = repeat{digit, 1, maxDigits}
	case hi.tight && hi.digits == "" && (hi.strict || lo.tight && (lo.digits != "" || lo.strict)):
		return list // nothing is below
	case hi.tight && hi.digits == "":
		more = repeat{literal("0"), 1, maxDigits}
	case lo.tight && lo.digits == "" && !hi.tight:
		more = repeat{digit, 1, maxDigits}
		if lo.strict {
			more = seq{repeat{literal("0"), 0, maxDigits}, digit19, repeat{digit, 0, maxDigits}}
		}
	default:
		more = nextDigit(lo, hi)
	}
	if point {
		more = seq{literal("."), more}
	}
	return append(list, more)
}

// nextDigit is the expression of a digit between those of two bounds and what
// may follow it.
func nextDigit(lo, hi fraction) node {
	l, restLo := lo.pop()
	h, restHi := hi.pop()
	if !lo.tight {
		l = '0' - 1
	}
	if !hi.tight {
		h = '9' + 1
	}
	if l == h {
		return seq{literal(string(l)), between(restLo, restHi, false)}
	}
	var list choice
	if lo.tight && l < h {
		list = append(list, seq{literal(string(l)), between(restLo, fraction{}, false)})
	}
	if hi.tight && l < h {
		list = append(list, seq{literal(string(h)), between(fraction{}, restHi, false)})
	}
	if l+1 <= h-1 {
		list = append(list, seq{chars{{rune(l) + 1, rune(h) - 1}}, repeat{digit, 0, maxDigits}})
	}
	return list
}
