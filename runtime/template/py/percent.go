package py

import (
	"math"
	"math/big"
	"strings"
	"unicode/utf8"
)

// directive is one % of a format.
type directive struct {
	left, sign, space, alt, zero bool
	width, prec                  int // prec −1: none
	verb                         byte
}

// percent takes the arguments of a format one after the other.
type percent struct {
	m    *Machine
	args []Value
	next int
	dict Value // set if the values may be named
}

// Percent is s % values.
func (m *Machine) Percent(s string, values Value) string {
	p := &percent{m: m, args: []Value{values}}
	if t, ok := values.(*Tuple); ok {
		p.args = t.Items
	}
	p.dict, _ = namedValues(values)
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '%')
		if i < 0 {
			break
		}
		b.WriteString(s[:i])
		out, rest := p.directive(s[i+1:])
		m.Alloc(len(out))
		b.WriteString(out)
		s = rest
	}
	m.Alloc(b.Len() + len(s))
	b.WriteString(s)
	if p.next >= 0 && p.next < len(p.args) && p.dict == nil {
		typeError("not all arguments converted during string formatting")
	}
	return b.String()
}

// namedValues returns the values of a format if they may have names: those of whatever has items, tuples and text apart.
func namedValues(v Value) (Value, bool) {
	switch v.(type) {
	case *List, *Dict, *Range, *Undefined, Bytes:
		return v, true
	}
	return nil, false
}

func (p *percent) arg() Value {
	if p.next < 0 || p.next >= len(p.args) {
		typeError("not enough arguments for format string")
	}
	p.next++
	return p.args[p.next-1]
}

// key reads (name) and makes the value of that name the argument.
func (p *percent) key(s string) string {
	if p.dict == nil {
		typeError("format requires a mapping")
	}
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				p.args, p.next = []Value{p.lookup(s[1:i])}, 0
				return s[i+1:]
			}
		}
	}
	valueError("incomplete format key")
	return ""
}

func (p *percent) lookup(name string) Value {
	if d, ok := p.dict.(*Dict); ok {
		if x, ok := d.Get(name); ok {
			return x
		}
		Throw("KeyError", "%s", quote(name))
	}
	Fail(p.dict)
	typeError("%s indices must be integers or slices, not str", TypeName(p.dict))
	return nil
}

// directive formats what begins after a percent sign and returns the rest of the format.
func (p *percent) directive(s string) (out, rest string) {
	if strings.HasPrefix(s, "%") {
		return "%", s[1:]
	}
	named := strings.HasPrefix(s, "(")
	if named {
		s = p.key(s)
	}
	d := directive{prec: -1}
	s = d.flags(s)
	d.width, s = p.count(s)
	if d.width < 0 {
		d.left, d.width = true, -d.width
	}
	if strings.HasPrefix(s, ".") {
		d.prec, s = p.count(s[1:])
		d.prec = max(d.prec, 0)
	}
	if s != "" && strings.IndexByte("hlL", s[0]) >= 0 {
		s = s[1:]
	}
	if s == "" {
		valueError("incomplete format")
	}
	d.verb = s[0]
	v := p.arg()
	if named {
		p.next = -1
	}
	return d.format(p.m, v, s), s[1:]
}

func (d *directive) flags(s string) string {
	for s != "" {
		switch s[0] {
		case '-':
			d.left = true
		case '+':
			d.sign = true
		case ' ':
			d.space = true
		case '#':
			d.alt = true
		case '0':
			d.zero = true
		default:
			return s
		}
		s = s[1:]
	}
	return s
}

// maxField bounds widths and precisions.
const maxField = 1 << 24

// count reads digits or a star.
func (p *percent) count(s string) (int, string) {
	if strings.HasPrefix(s, "*") {
		v := p.arg()
		i, ok := small(v)
		if !ok {
			typeError("* wants int")
		}
		if i > maxField || i < -maxField {
			valueError("width too big")
		}
		return int(i), s[1:]
	}
	n := 0
	for s != "" && s[0] >= '0' && s[0] <= '9' {
		if n = n*10 + int(s[0]-'0'); n > maxField {
			valueError("width too big")
		}
		s = s[1:]
	}
	return n, s
}

func (d *directive) format(m *Machine, v Value, s string) string {
	switch d.verb {
	case 's', 'r', 'a':
		return d.pad(m, "", d.text(m, v))
	case 'd', 'i', 'u', 'o', 'x', 'X':
		return d.integer(m, v)
	case 'e', 'E', 'f', 'F', 'g', 'G':
		f, ok := toFloat(v)
		if !ok {
			Fail(v)
			typeError("must be real number, not %s", TypeName(v))
		}
		prec := d.prec
		if prec < 0 {
			prec = 6
		}
		m.Alloc(prec)
		sign, digits := d.signed(floatText(f, d.verb, prec, d.alt))
		return d.pad(m, sign, digits)
	case 'c':
		return d.pad(m, "", character(v))
	}
	r, _ := utf8.DecodeRuneInString(s)
	valueError("unsupported format character '%c' (0x%x)", r, r)
	return ""
}

func (d *directive) text(m *Machine, v Value) string {
	var s string
	switch d.verb {
	case 's':
		s = m.Str(v)
	case 'r':
		s = m.Repr(v)
	default:
		s = m.ascii(v)
	}
	if d.prec >= 0 {
		s = s[:runeOffset(s, d.prec)]
	}
	d.zero = false
	return s
}

func character(v Value) string {
	if s, ok := Text(v); ok {
		if utf8.RuneCountInString(s) != 1 {
			typeError("%%c requires int or char")
		}
		return s
	}
	i, ok := small(v)
	if !ok {
		typeError("%%c requires int or char")
	}
	if i < 0 || i > utf8.MaxRune {
		Throw("OverflowError", "%%c arg not in range(0x110000)")
	}
	return string(rune(i))
}

func (d *directive) integer(m *Machine, v Value) string {
	x, ok := asInt(v)
	if f, isFloat := v.(float64); isFloat && strings.IndexByte("diu", d.verb) >= 0 {
		x, ok = truncate(f), true
	}
	if !ok {
		Fail(v)
		if strings.IndexByte("diu", d.verb) >= 0 {
			typeError("%%%c format: a real number is required, not %s", d.verb, TypeName(v))
		}
		typeError("%%%c format: an integer is required, not %s", d.verb, TypeName(v))
	}
	base, prefix := 10, ""
	switch d.verb {
	case 'o':
		base, prefix = 8, "0o"
	case 'x', 'X':
		base, prefix = 16, "0x"
	}
	digits := m.digits(new(big.Int).Abs(x), base)
	if n := d.prec - len(digits); n > 0 {
		m.Alloc(n)
		digits = strings.Repeat("0", n) + digits
	}
	if d.verb == 'X' {
		digits, prefix = strings.ToUpper(digits), "0X"
	}
	if x.Sign() < 0 {
		digits = "-" + digits
	}
	sign, digits := d.signed(digits)
	if d.alt && base != 10 {
		sign += prefix
	}
	return d.pad(m, sign, digits)
}

// digits is the text of a number ≥ 0.
func (m *Machine) digits(x *big.Int, base int) string {
	if base == 10 {
		return m.bigText(x)
	}
	m.Alloc(x.BitLen())
	return x.Text(base)
}

// truncate is int(f).
func truncate(f float64) *big.Int {
	if math.IsNaN(f) {
		valueError("cannot convert float NaN to integer")
	}
	if math.IsInf(f, 0) {
		Throw("OverflowError", "cannot convert float infinity to integer")
	}
	x, _ := big.NewFloat(f).Int(nil)
	return x
}

// signed takes the sign off a number and adds the one that the flags want.
func (d *directive) signed(s string) (sign, digits string) {
	switch {
	case strings.HasPrefix(s, "-"):
		return "-", s[1:]
	case d.sign:
		return "+", s
	case d.space:
		return " ", s
	}
	return "", s
}

func (d *directive) pad(m *Machine, sign, s string) string {
	n := d.width - utf8.RuneCountInString(sign) - utf8.RuneCountInString(s)
	if n <= 0 {
		return sign + s
	}
	m.Alloc(n)
	switch {
	case d.left:
		return sign + s + strings.Repeat(" ", n)
	case d.zero && d.verb != 'c':
		return sign + strings.Repeat("0", n) + s
	}
	return strings.Repeat(" ", n) + sign + s
}
