package py

import (
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// formatMethod is str.format with its arguments.
func (m *Machine) formatMethod(self Value, a Args) Value {
	named := new(Dict)
	for i, n := range a.Names {
		named.Set(n, a.Named[i])
	}
	if s, ok := self.(Markup); ok {
		return Markup(m.Format(string(s), a.Pos, named, true))
	}
	return m.Format(self.(string), a.Pos, named, false)
}

// Format is s.format(*pos, **named) as the sandbox's formatter does it: attributes and items of the values are looked up as
// in templates.
func (m *Machine) Format(s string, pos []Value, named Value, escape bool) string {
	f := &formatter{m: m, pos: pos, named: named, escape: escape}
	return f.format(s, 2)
}

type formatter struct {
	m      *Machine
	pos    []Value
	named  Value
	escape bool
	auto   int // fields numbered so far
	manual bool
}

func (f *formatter) format(s string, depth int) string {
	if depth < 0 {
		valueError("Max string recursion exceeded")
	}
	var b strings.Builder
	for s != "" {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			b.WriteString(s)
			break
		}
		b.WriteString(s[:i])
		if i+1 < len(s) && s[i+1] == s[i] {
			b.WriteByte(s[i])
			s = s[i+2:]
			continue
		}
		if s[i] == '}' {
			valueError("Single '}' encountered in format string")
		}
		if i+1 == len(s) {
			valueError("Single '{' encountered in format string")
		}
		field, rest := fieldOf(s[i+1:])
		out := f.field(field, depth)
		f.m.Alloc(len(out))
		b.WriteString(out)
		s = rest
	}
	f.m.Alloc(b.Len())
	return b.String()
}

// fieldOf returns the text of a field up to its closing brace.
func fieldOf(s string) (field, rest string) {
	depth := 1
	for i := range len(s) {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return s[:i], s[i+1:]
			}
		}
	}
	valueError("expected '}' before end of string")
	return "", ""
}

// splitField takes a field apart: name, conversion and specification.
func splitField(field string) (name string, conversion rune, spec string) {
	inBrackets := false
	for i, r := range field {
		switch {
		case r == '[':
			inBrackets = true
		case r == ']':
			inBrackets = false
		case inBrackets:
		case r == '{' || r == '}':
			valueError("unexpected '{' in field name")
		case r == ':':
			return field[:i], 0, field[i+1:]
		case r == '!':
			name, rest := field[:i], field[i+1:]
			r, n := utf8.DecodeRuneInString(rest)
			if n == 0 {
				valueError("end of string while looking for conversion specifier")
			}
			if rest = rest[n:]; rest != "" && rest[0] != ':' {
				valueError("expected ':' after conversion specifier")
			}
			return name, r, strings.TrimPrefix(rest, ":")
		}
	}
	return field, 0, ""
}

func (f *formatter) field(field string, depth int) string {
	name, conversion, spec := splitField(field)
	v := f.value(name)
	switch conversion {
	case 0:
	case 's':
		v = f.m.Str(v)
	case 'r':
		v = f.m.Repr(v)
	case 'a':
		v = f.m.ascii(v)
	default:
		valueError("Unknown conversion specifier %c", conversion)
	}
	spec = f.format(spec, depth-1)
	if !f.escape {
		return f.m.FormatValue(v, spec)
	}
	if s, ok := v.(Markup); ok {
		if spec != "" {
			valueError("Unsupported format specification for Markup.")
		}
		return string(s)
	}
	return escaper.Replace(f.m.FormatValue(v, spec))
}

// value finds what a field name like 0.attribute[item] stands for.
func (f *formatter) value(name string) Value {
	switch {
	case name == "":
		if f.manual {
			valueError("cannot switch from manual field specification to automatic field numbering")
		}
		name = strconv.Itoa(f.auto)
		f.auto++
	case all(name, isDigit):
		if f.auto > 0 {
			valueError("cannot switch from manual field specification to automatic field numbering")
		}
		f.manual = true
	}
	end := strings.IndexAny(name, ".[")
	if end < 0 {
		end = len(name)
	}
	v := f.first(name[:end])
	for rest := name[end:]; rest != ""; {
		v, rest = f.step(v, rest)
	}
	return v
}

func (f *formatter) first(name string) Value {
	if i, err := strconv.Atoi(toASCIIDigits(name)); err == nil && name[0] != '-' && name[0] != '+' {
		if i >= len(f.pos) {
			Throw("IndexError", "Replacement index %d out of range for positional args tuple", i)
		}
		return f.pos[i]
	}
	if x := f.m.item(f.named, name); x != nil {
		return x
	}
	Throw("KeyError", "%s", quote(name))
	return nil
}

// step follows one .attribute or [item].
func (f *formatter) step(v Value, rest string) (Value, string) {
	if rest[0] == '.' {
		end := strings.IndexAny(rest[1:], ".[")
		if end < 0 {
			end = len(rest) - 1
		}
		if end == 0 {
			valueError("Empty attribute in format string")
		}
		return f.m.GetAttr(v, rest[1:1+end]), rest[1+end:]
	}
	end := strings.IndexByte(rest, ']')
	if rest[0] != '[' || end < 0 {
		valueError("Missing ']' in format string")
	}
	if end == 1 {
		valueError("Empty attribute in format string")
	}
	if after := rest[end+1:]; after != "" && after[0] != '.' && after[0] != '[' {
		valueError("Only '.' or '[' may follow ']' in format field specifier")
	}
	key := rest[1:end]
	if i, err := strconv.ParseInt(key, 10, 64); err == nil && key[0] != '-' && key[0] != '+' {
		return f.m.GetItem(v, i), rest[end+1:]
	}
	return f.m.GetItem(v, key), rest[end+1:]
}

// FormatValue is format(v, spec).
func (m *Machine) FormatValue(v Value, spec string) string {
	if spec == "" {
		return m.Str(v)
	}
	switch v := v.(type) {
	case string:
		return m.formatText(v, parseSpec(spec, "str"))
	case Markup:
		return m.formatText(string(v), parseSpec(spec, "Markup"))
	case bool, int64:
		return m.formatInt(v, parseSpec(spec, "int"))
	case float64:
		return m.formatFloat(v, parseSpec(spec, "float"))
	}
	if isNumber(v) {
		return m.formatInt(v, parseSpec(spec, "int"))
	}
	typeError("unsupported format string passed to %s.__format__", TypeName(v))
	return ""
}

// formatSpec is a parsed format specification.
type formatSpec struct {
	fill             rune
	align            byte
	sign             byte
	z, alt, zero     bool
	width, precision int // −1: none
	group            string
	verb             byte
}

// parseSpec reads [[fill]align][sign][z][#][0][width][grouping][.precision][type].
func parseSpec(s, kind string) *formatSpec {
	f := &formatSpec{fill: ' ', width: -1, precision: -1}
	whole := s
	isAlign := func(s string) bool { return s != "" && strings.IndexByte("<>=^", s[0]) >= 0 }
	if _, n := utf8.DecodeRuneInString(s); n > 0 && isAlign(s[n:]) {
		f.fill, _ = utf8.DecodeRuneInString(s)
		f.align, s = s[n], s[n+1:]
	} else if isAlign(s) {
		f.align, s = s[0], s[1:]
	}
	take := func(set string) (c byte) {
		if s != "" && strings.IndexByte(set, s[0]) >= 0 {
			c, s = s[0], s[1:]
		}
		return c
	}
	f.sign = take("+- ")
	f.z = take("z") != 0
	f.alt = take("#") != 0
	if take("0") != 0 {
		f.zero = true
		if f.align == 0 {
			f.fill = '0'
			if kind != "str" && kind != "Markup" {
				f.align = '='
			}
		}
	}
	f.width, s = specNumber(s)
	for g := take(",_"); g != 0; g = take(",_") {
		if f.group != "" {
			valueError("Cannot specify both ',' and '_'.")
		}
		f.group = string(g)
	}
	if take(".") != 0 {
		if f.precision, s = specNumber(s); f.precision < 0 {
			valueError("Format specifier missing precision")
		}
	}
	if len(s) > 1 {
		valueError("Invalid format specifier '%s' for object of type '%s'", whole, kind)
	}
	if s != "" {
		f.verb = s[0]
	}
	return f
}

func specNumber(s string) (int, string) {
	n, found := 0, false
	for s != "" && s[0] >= '0' && s[0] <= '9' {
		if n = n*10 + int(s[0]-'0'); n > maxField {
			valueError("Too many decimal digits in format string")
		}
		s, found = s[1:], true
	}
	if !found {
		return -1, s
	}
	return n, s
}

func (f *formatSpec) unknown(kind string) {
	valueError("Unknown format code '%s' for object of type '%s'", string(rune(f.verb)), kind)
}

func (m *Machine) formatText(s string, f *formatSpec) string {
	switch {
	case f.verb != 0 && f.verb != 's':
		f.unknown("str")
	case f.sign != 0:
		valueError("Sign not allowed in string format specifier")
	case f.z:
		valueError("Negative zero coercion (z) not allowed in string format specifier")
	case f.alt:
		valueError("Alternate form (#) not allowed in string format specifier")
	case f.align == '=':
		valueError("'=' alignment not allowed in string format specifier")
	case f.group != "":
		valueError("Cannot specify '%s' with 's'.", f.group)
	}
	if f.precision >= 0 {
		s = s[:runeOffset(s, f.precision)]
	}
	if f.align == 0 {
		f.align = '<'
	}
	return f.place(m, "", s)
}

// place aligns sign and text in the field.
func (f *formatSpec) place(m *Machine, sign, s string) string {
	n := f.width - utf8.RuneCountInString(sign) - utf8.RuneCountInString(s)
	if n <= 0 {
		return sign + s
	}
	m.AllocTimes(utf8.RuneLen(f.fill), int64(n))
	fill := string(f.fill)
	switch f.align {
	case '<':
		return sign + s + strings.Repeat(fill, n)
	case '^':
		return strings.Repeat(fill, n/2) + sign + s + strings.Repeat(fill, n-n/2)
	case '=':
		return sign + strings.Repeat(fill, n) + s
	}
	return strings.Repeat(fill, n) + sign + s
}

func (f *formatSpec) signOf(negative bool) string {
	switch {
	case negative:
		return "-"
	case f.sign == '+' || f.sign == ' ':
		return string(f.sign)
	}
	return ""
}

func (m *Machine) formatInt(v Value, f *formatSpec) string {
	x, _ := asInt(v)
	base, prefix := 10, ""
	switch f.verb {
	case 0, 'd', 'n':
	case 'b':
		base, prefix = 2, "0b"
	case 'o':
		base, prefix = 8, "0o"
	case 'x', 'X':
		base, prefix = 16, "0"+string(f.verb)
	case 'c':
		return m.formatChar(v, f)
	case 'e', 'E', 'f', 'F', 'g', 'G', '%':
		g, _ := toFloat(v)
		return m.formatFloat(g, f)
	default:
		f.unknown(TypeName(v))
	}
	switch {
	case f.precision >= 0:
		valueError("Precision not allowed in integer format specifier")
	case f.z:
		valueError("Negative zero coercion (z) not allowed in format specifier with integer presentation type")
	case f.group == "," && base != 10 || f.group != "" && f.verb == 'n':
		valueError("Cannot specify '%s' with '%c'.", f.group, f.verb)
	}
	digits := m.digits(new(big.Int).Abs(x), base)
	if f.verb == 'X' {
		digits = strings.ToUpper(digits)
	}
	sign := f.signOf(x.Sign() < 0)
	if f.alt {
		sign += prefix
	}
	size := 3
	if base != 10 {
		size = 4
	}
	return f.numeric(m, sign, digits, "", size)
}

func (m *Machine) formatChar(v Value, f *formatSpec) string {
	switch {
	case f.precision >= 0:
		valueError("Precision not allowed in integer format specifier")
	case f.sign != 0:
		valueError("Sign not allowed with integer format specifier 'c'")
	case f.alt:
		valueError("Alternate form (#) not allowed with integer format specifier 'c'")
	case f.group != "":
		valueError("Cannot specify '%s' with 'c'.", f.group)
	}
	i, ok := small(v)
	if !ok || i < 0 || i > utf8.MaxRune {
		Throw("OverflowError", "%%c arg not in range(0x110000)")
	}
	if f.align == 0 {
		f.align = '>'
	}
	return f.place(m, "", string(rune(i)))
}

// numeric groups the digits and places the number; zeros that fill the width are grouped as well.
func (f *formatSpec) numeric(m *Machine, sign, digits, tail string, size int) string {
	if f.align == 0 {
		f.align = '>'
	}
	if f.group != "" {
		least := 0
		if f.fill == '0' && f.align == '=' {
			least = f.width - len(sign) - len(tail)
		}
		m.Alloc(max(least, 0))
		digits = grouped(digits, f.group, size, least)
	}
	return f.place(m, sign, digits+tail)
}

// grouped puts separators into digits, with zeros in front up to a width.
func grouped(digits, sep string, size, least int) string {
	var parts []string
	width := 0
	for {
		part := digits[max(0, len(digits)-size):]
		digits = digits[:len(digits)-len(part)]
		width += len(part)
		if digits == "" && width < least {
			zeros := min(size-len(part), least-width)
			part = strings.Repeat("0", zeros) + part
			width += zeros
		}
		parts = append(parts, part)
		if digits == "" && width >= least {
			break
		}
		width++
		if digits == "" && width >= least {
			digits = "0"
		}
	}
	for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
		parts[i], parts[j] = parts[j], parts[i]
	}
	return strings.Join(parts, sep)
}

func (m *Machine) formatFloat(v float64, f *formatSpec) string {
	s, prec := "", f.precision
	if prec < 0 {
		prec = 6
	}
	m.Alloc(prec)
	switch f.verb {
	case 0:
		s = FloatRepr(v)
		if f.precision >= 0 && !strings.ContainsAny(s, "in") {
			s = general(v, f.precision, f.alt, true)
		} else if f.alt && strings.Contains(s, "e") && !strings.Contains(s, ".") {
			s = withPoint(s, true)
		}
	case 'e', 'E', 'f', 'F', 'g', 'G':
		s = floatText(v, f.verb, prec, f.alt)
	case 'n':
		s = floatText(v, 'g', prec, f.alt)
	case '%':
		s = floatText(v*100, 'f', prec, f.alt)
	default:
		f.unknown("float")
	}
	if f.group != "" && f.verb == 'n' {
		valueError("Cannot specify '%s' with 'n'.", f.group)
	}
	if f.z && strings.HasPrefix(s, "-") && !strings.ContainsAny(s, "123456789in") {
		s = s[1:]
	}
	negative := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	end := 0
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	digits, tail := s[:end], s[end:]
	if f.verb == '%' {
		tail += "%"
	}
	return f.numeric(m, f.signOf(negative), digits, tail, 3)
}
