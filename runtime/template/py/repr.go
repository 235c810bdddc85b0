package py

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Str is str(v).
func (m *Machine) Str(v Value) string {
	switch v := v.(type) {
	case string:
		return v
	case Markup:
		return string(v)
	case *Undefined:
		return ""
	}
	return m.Repr(v)
}

// Repr is repr(v).
func (m *Machine) Repr(v Value) string {
	switch v := v.(type) {
	case string:
		m.Alloc(len(v))
		return quote(v)
	case Markup:
		return "Markup(" + quote(string(v)) + ")"
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return FloatRepr(v)
	}
	var b strings.Builder
	m.repr(&b, v)
	return b.String()
}

// safeRepr is Repr for messages: values that are nested too deep or too large have none.
func (m *Machine) safeRepr(v Value) (s string) {
	defer func() {
		if recover() != nil {
			s = "…"
		}
	}()
	return m.Repr(v)
}

func (m *Machine) repr(b *strings.Builder, v Value) {
	start := b.Len()
	switch v := v.(type) {
	case NoneType:
		b.WriteString("None")
	case bool:
		b.WriteString(boolText(v))
	case *big.Int:
		b.WriteString(m.bigText(v))
	case Bytes:
		b.WriteString(bytesRepr(string(v)))
	case *List:
		m.reprItems(b, "[", v.Items, "]")
		return
	case *Tuple:
		end := ")"
		if len(v.Items) == 1 {
			end = ",)"
		}
		m.reprItems(b, "(", v.Items, end)
		return
	case *Dict:
		m.reprDict(b, v)
		return
	case *View:
		items := make([]Value, v.Dict.Len())
		for i := range items {
			items[i] = v.at(i)
		}
		m.reprItems(b, v.typeName()+"([", items, "])")
		return
	case *Set:
		if v.d.Len() > 0 {
			m.reprItems(b, "{", v.d.keys, "}")
			return
		}
		b.WriteString("set()")
	case *Range:
		b.WriteString(rangeRepr(v))
	case *Undefined:
		b.WriteString("Undefined")
	case *Func:
		b.WriteString(v.Text)
	case *Generator:
		fmt.Fprintf(b, "<%s object>", v.Type)
	case Object:
		b.WriteString(v.Repr(m))
	default:
		b.WriteString(m.Repr(v))
	}
	m.Alloc(b.Len() - start)
}

func boolText(v bool) string {
	if v {
		return "True"
	}
	return "False"
}

func rangeRepr(r *Range) string {
	if r.Step == 1 {
		return fmt.Sprintf("range(%d, %d)", r.Start, r.Stop)
	}
	return fmt.Sprintf("range(%d, %d, %d)", r.Start, r.Stop, r.Step)
}

func (m *Machine) reprItems(b *strings.Builder, open string, items []Value, end string) {
	m.Enter()
	b.WriteString(open)
	for i, x := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		m.repr(b, x)
	}
	b.WriteString(end)
	m.Leave()
}

func (m *Machine) reprDict(b *strings.Builder, d *Dict) {
	m.Enter()
	b.WriteByte('{')
	for i, k := range d.keys {
		if i > 0 {
			b.WriteString(", ")
		}
		m.repr(b, k)
		b.WriteString(": ")
		m.repr(b, d.vals[i])
	}
	b.WriteByte('}')
	m.Leave()
}

// bigText is the decimal text of an integer; Python refuses more than 4300 digits.
func (m *Machine) bigText(x *big.Int) string {
	m.Step(x.BitLen() / 8)
	if x.BitLen() > 14300 {
		valueError("Exceeds the limit (4300 digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit")
	}
	s := x.String()
	if len(strings.TrimPrefix(s, "-")) > 4300 {
		valueError("Exceeds the limit (4300 digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit")
	}
	return s
}

// FloatRepr is repr of a float: the shortest text that reads back as the same number.
func FloatRepr(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case math.IsNaN(f):
		return "nan"
	}
	e := strconv.FormatFloat(f, 'e', -1, 64)
	exp, _ := strconv.Atoi(e[strings.IndexByte(e, 'e')+1:])
	if exp < -4 || exp >= 16 {
		return e
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// quote is the repr of a string: single quotes unless the text has some and no double ones.
func quote(s string) string {
	q := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		q = '"'
	}
	b := make([]byte, 0, len(s)+2)
	b = append(b, q)
	for _, r := range s {
		switch {
		case r == rune(q) || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r < ' ' || r == 0x7f:
			b = fmt.Appendf(b, `\x%02x`, r)
		case r < 0x7f || unicode.IsPrint(r):
			b = utf8.AppendRune(b, r)
		default:
			b = escapeRune(b, r)
		}
	}
	return string(append(b, q))
}

func escapeRune(b []byte, r rune) []byte {
	switch {
	case r < 0x100:
		return fmt.Appendf(b, `\x%02x`, r)
	case r < 0x10000:
		return fmt.Appendf(b, `\u%04x`, r)
	}
	return fmt.Appendf(b, `\U%08x`, r)
}

// ascii is ascii(v): its repr without characters outside ASCII.
func (m *Machine) ascii(v Value) string {
	var b []byte
	for _, r := range m.Repr(v) {
		if r < 0x80 {
			b = append(b, byte(r))
		} else {
			b = escapeRune(b, r)
		}
	}
	return string(b)
}

func bytesRepr(s string) string {
	q := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		q = '"'
	}
	b := []byte{'b', q}
	for i := range len(s) {
		switch c := s[i]; {
		case c == q || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c < ' ' || c >= 0x7f:
			b = fmt.Appendf(b, `\x%02x`, c)
		default:
			b = append(b, c)
		}
	}
	return string(append(b, q))
}
