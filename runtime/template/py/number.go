package py

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
)

// floatText formats a float for the verbs e, f, g and their upper cases.
func floatText(f float64, verb byte, prec int, alt bool) string {
	s := ""
	switch {
	case math.IsInf(f, 0) || math.IsNaN(f):
		s = FloatRepr(f)
	case verb == 'e' || verb == 'E':
		s = withPoint(strconv.FormatFloat(f, 'e', prec, 64), alt && prec == 0)
	case verb == 'f' || verb == 'F':
		s = withPoint(strconv.FormatFloat(f, 'f', prec, 64), alt && prec == 0)
	default:
		s = general(f, prec, alt, false)
	}
	if verb >= 'A' && verb <= 'Z' {
		s = strings.ToUpper(s)
	}
	return s
}

func withPoint(s string, add bool) string {
	if !add {
		return s
	}
	if i := strings.IndexByte(s, 'e'); i >= 0 {
		return s[:i] + "." + s[i:]
	}
	return s + "."
}

// general is the format g: format_float_short of Python/pystrtod.c. With dot, the result looks like a float.
func general(f float64, prec int, alt, dot bool) string {
	prec = max(prec, 1)
	e := strconv.FormatFloat(f, 'e', prec-1, 64)
	i := strings.IndexByte(e, 'e')
	exp, _ := strconv.Atoi(e[i+1:])
	most := prec
	if dot {
		most--
	}
	var s, tail string
	if exp+1 <= -4 || exp+1 > most {
		s, tail = e[:i], e[i:]
	} else {
		s = strconv.FormatFloat(f, 'f', prec-1-exp, 64)
	}
	if !alt && strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if alt && !strings.Contains(s, ".") {
		s += "."
	}
	if dot && tail == "" && !strings.Contains(s, ".") {
		s += ".0"
	}
	return s + tail
}

// ToInt is int(v, base); it throws ValueError and TypeError as Python does.
func (m *Machine) ToInt(v Value, base int) Value {
	if s, ok := Text(v); ok {
		return m.parseInt(s, base)
	}
	if b, ok := v.(Bytes); ok {
		return m.parseInt(string(b), base)
	}
	if f, ok := v.(float64); ok {
		return Int(truncate(f))
	}
	if x, ok := asInt(v); ok {
		return Int(x)
	}
	Fail(v)
	typeError("int() argument must be a string, a bytes-like object or a real number, not '%s'", TypeName(v))
	return nil
}

func (m *Machine) parseInt(s string, base int) Value {
	if base != 0 && (base < 2 || base > 36) {
		valueError("int() base must be >= 2 and <= 36, or 0")
	}
	t := strings.TrimFunc(toASCIIDigits(s), IsSpace)
	sign := ""
	if t != "" && (t[0] == '+' || t[0] == '-') {
		sign, t = strings.TrimPrefix(t[:1], "+"), t[1:]
	}
	digits, base, ok := radix(t, base)
	if ok && len(digits) > 4300 && base&(base-1) != 0 {
		valueError("Exceeds the limit (4300 digits) for integer string conversion: value has %d digits; use sys.set_int_max_str_digits() to increase the limit", len(digits))
	}
	if ok && len(digits) > maxBits {
		Throw("MemoryError", "the integer is too large")
	}
	if ok {
		if x, ok := new(big.Int).SetString(sign+digits, base); ok {
			m.Alloc(len(digits))
			return Int(x)
		}
	}
	valueError("invalid literal for int() with base %d: %s", base, quote(s))
	return nil
}

// radix takes the prefix off digits and removes their underscores.
func radix(s string, base int) (digits string, actual int, ok bool) {
	prefixes := map[byte]int{'x': 16, 'X': 16, 'o': 8, 'O': 8, 'b': 2, 'B': 2}
	if len(s) > 1 && s[0] == '0' {
		if b := prefixes[s[1]]; b != 0 && (base == 0 || base == b) {
			base = b
			if s = s[2:]; strings.HasPrefix(s, "_") {
				s = s[1:]
			}
		}
	}
	if base == 0 {
		if base = 10; len(s) > 1 && s[0] == '0' && strings.Trim(s, "0_") != "" {
			return "", base, false
		}
	}
	if s == "" || s[0] == '_' || strings.HasSuffix(s, "_") || strings.Contains(s, "__") || strings.ContainsAny(s, "+-") {
		return "", base, false
	}
	return strings.ReplaceAll(s, "_", ""), base, true
}

// toASCIIDigits replaces decimal digits of other scripts by ASCII.
func toASCIIDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 || !isDecimal(r) {
			return r
		}
		n := rune(0) // digits come in runs of ten
		for unicode.Is(unicode.Nd, r-n-1) {
			n++
		}
		return '0' + n%10
	}, s)
}

// ToFloat is float(v).
func (m *Machine) ToFloat(v Value) float64 {
	if f, ok := toFloat(v); ok {
		return f
	}
	s, ok := Text(v)
	if !ok {
		Fail(v)
		typeError("float() argument must be a string or a real number, not '%s'", TypeName(v))
	}
	t := strings.ToLower(strings.TrimFunc(toASCIIDigits(s), IsSpace))
	m.Alloc(len(t))
	digit := func(i int) bool { return i >= 0 && i < len(t) && t[i] >= '0' && t[i] <= '9' }
	valid := t != "" && !strings.ContainsAny(t, "xp")
	for i := range len(t) {
		if t[i] == '_' && !(digit(i-1) && digit(i+1)) {
			valid = false
		}
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(t, "_", ""), 64)
	if n, isRange := err.(*strconv.NumError); isRange && n.Err == strconv.ErrRange {
		err = nil
	}
	if err != nil || !valid {
		valueError("could not convert string to float: %s", quote(s))
	}
	return f
}

// Round is round(v, digits).
func (m *Machine) Round(v, digits Value) Value {
	n := wantInt(digits, 0)
	if f, ok := v.(float64); ok {
		return roundFloat(f, n)
	}
	x, ok := asInt(v)
	if !ok {
		Fail(v)
		typeError("type %s doesn't define __round__ method", TypeName(v))
	}
	if n >= 0 {
		return Int(x)
	}
	if -n > x.BitLen() {
		return int64(0)
	}
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-n)), nil)
	q, r := new(big.Int).DivMod(x, unit, new(big.Int))
	if c := r.Lsh(r, 1).Cmp(unit); c > 0 || c == 0 && q.Bit(0) == 1 {
		q.Add(q, big.NewInt(1))
	}
	return Int(q.Mul(q, unit))
}

func roundFloat(f float64, n int) Value {
	switch {
	case math.IsInf(f, 0) || math.IsNaN(f) || n > 323:
		return f
	case n < -308:
		return math.Copysign(0, f)
	case n >= 0:
		r, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'f', n, 64), 64)
		return r
	}
	unit := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-n)), nil))
	q := new(big.Rat).Quo(new(big.Rat).SetFloat64(f), unit)
	whole := new(big.Int).Quo(q.Num(), q.Denom())
	rest := new(big.Rat).Sub(q, new(big.Rat).SetInt(whole))
	if c := rest.Abs(rest).Cmp(big.NewRat(1, 2)); c > 0 || c == 0 && whole.Bit(0) == 1 {
		whole.Add(whole, big.NewInt(int64(q.Sign())))
	}
	r, _ := new(big.Rat).Mul(new(big.Rat).SetInt(whole), unit).Float64()
	if r == 0 {
		return math.Copysign(0, f)
	}
	if math.IsInf(r, 0) {
		Throw("OverflowError", "rounded value too large to represent")
	}
	return r
}
