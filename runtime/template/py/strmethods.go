package py

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// text makes a method of a function of strings.
func text(f func(string) string) func(m *Machine, self Value, a []Value) Value {
	return func(m *Machine, self Value, a []Value) Value {
		s := self.(string)
		m.Alloc(len(s))
		return f(s)
	}
}

func test(f func(string) bool) func(m *Machine, self Value, a []Value) Value {
	return func(m *Machine, self Value, a []Value) Value {
		m.Step(len(self.(string)) / 16)
		return f(self.(string))
	}
}

func every(is func(rune) bool) func(m *Machine, self Value, a []Value) Value {
	return test(func(s string) bool { return all(s, is) })
}

var strMethods methods

func init() {
	strMethods = table(
		row{"capitalize", "/", text(Capitalize)},
		row{"casefold", "/", text(CaseFold)},
		row{"lower", "/", text(Lower)},
		row{"swapcase", "/", text(swapCase)},
		row{"title", "/", text(Title)},
		row{"upper", "/", text(Upper)},
		row{"isalnum", "/", every(IsAlnum)},
		row{"isalpha", "/", every(unicode.IsLetter)},
		row{"isascii", "/", test(func(s string) bool { return s == "" || all(s, func(r rune) bool { return r < 0x80 }) })},
		row{"isdecimal", "/", every(isDecimal)},
		row{"isdigit", "/", every(isDigit)},
		row{"isidentifier", "/", test(IsIdentifier)},
		row{"islower", "/", test(IsLowerText)},
		row{"isnumeric", "/", every(isNumeric)},
		row{"isprintable", "/", test(func(s string) bool { return s == "" || all(s, unicode.IsPrint) })},
		row{"isspace", "/", every(IsSpace)},
		row{"istitle", "/", test(isTitleText)},
		row{"isupper", "/", test(IsUpperText)},
		row{"center", "/ width fillchar?", pad(func(n, width int) (int, int) { left := n/2 + n&width&1; return left, n - left })},
		row{"ljust", "/ width fillchar?", pad(func(n, width int) (int, int) { return 0, n })},
		row{"rjust", "/ width fillchar?", pad(func(n, width int) (int, int) { return n, 0 })},
		row{"zfill", "/ width", zfill},
		row{"strip", "/ chars?", func(m *Machine, self Value, a []Value) Value { return m.Strip(self.(string), a[0], true, true) }},
		row{"lstrip", "/ chars?", func(m *Machine, self Value, a []Value) Value { return m.Strip(self.(string), a[0], true, false) }},
		row{"rstrip", "/ chars?", func(m *Machine, self Value, a []Value) Value { return m.Strip(self.(string), a[0], false, true) }},
		row{"split", "sep? maxsplit?", split(Fields, strings.SplitN)},
		row{"rsplit", "sep? maxsplit?", split(fieldsRight, splitRight)},
		row{"splitlines", "keepends?", func(m *Machine, self Value, a []Value) Value {
			m.Alloc(len(self.(string)))
			return m.texts(SplitLines(self.(string), a[0] != nil && m.Truth(a[0])))
		}},
		row{"partition", "/ sep", partition},
		row{"rpartition", "/ sep", rpartition},
		row{"replace", "/ old new count?", func(m *Machine, self Value, a []Value) Value {
			return m.Replace(self.(string), wantText("replace() argument 1", a[0]), wantText("replace() argument 2", a[1]), wantInt(a[2], -1))
		}},
		row{"removeprefix", "/ prefix", func(m *Machine, self Value, a []Value) Value {
			return strings.TrimPrefix(self.(string), wantText("removeprefix() argument", a[0]))
		}},
		row{"removesuffix", "/ suffix", func(m *Machine, self Value, a []Value) Value {
			return strings.TrimSuffix(self.(string), wantText("removesuffix() argument", a[0]))
		}},
		row{"startswith", "/ prefix start? end?", affix(strings.HasPrefix)},
		row{"endswith", "/ suffix start? end?", affix(strings.HasSuffix)},
		row{"find", "/ sub start? end?", find(strings.Index, false)},
		row{"rfind", "/ sub start? end?", find(strings.LastIndex, false)},
		row{"index", "/ sub start? end?", find(strings.Index, true)},
		row{"rindex", "/ sub start? end?", find(strings.LastIndex, true)},
		row{"count", "/ sub start? end?", countText},
		row{"join", "/ iterable", func(m *Machine, self Value, a []Value) Value { return m.join(self.(string), a[0]) }},
		row{"expandtabs", "tabsize?", expandTabs},
		row{"encode", "encoding? errors?", encode},
		row{"format", "", nil},
		row{"format_map", "/ mapping", func(m *Machine, self Value, a []Value) Value {
			return m.Format(self.(string), nil, a[0], false)
		}},
		row{"maketrans", "/ x y? z?", makeTrans},
		row{"translate", "/ table", translate},
	)
	markupMethods = makeMarkupMethods()
}

func (m *Machine) texts(parts []string) *List {
	m.Alloc(slotBytes * len(parts))
	l := &List{make([]Value, len(parts))}
	for i, s := range parts {
		l.Items[i] = s
	}
	return l
}

func pad(share func(n, width int) (left, right int)) func(m *Machine, self Value, a []Value) Value {
	return func(m *Machine, self Value, a []Value) Value {
		s, fill := self.(string), " "
		if a[1] != nil {
			if fill = wantText("The fill character", a[1]); utf8.RuneCountInString(fill) != 1 {
				typeError("The fill character must be exactly one character long")
			}
		}
		width := wantInt(a[0], 0)
		n := width - utf8.RuneCountInString(s)
		if n <= 0 {
			return s
		}
		left, right := share(n, width)
		m.AllocTimes(len(fill), int64(n))
		return strings.Repeat(fill, left) + s + strings.Repeat(fill, right)
	}
}

func zfill(m *Machine, self Value, a []Value) Value {
	s := self.(string)
	n := wantInt(a[0], 0) - utf8.RuneCountInString(s)
	if n <= 0 {
		return s
	}
	m.AllocTimes(1, int64(n))
	sign := ""
	if s != "" && (s[0] == '+' || s[0] == '-') {
		sign, s = s[:1], s[1:]
	}
	return sign + strings.Repeat("0", n) + s
}

// Strip is str.strip, lstrip or rstrip; chars may be nil or None.
func (m *Machine) Strip(s string, chars Value, left, right bool) string {
	m.Step(1 + len(s)/64)
	is := IsSpace
	if chars != nil && chars != Value(None) {
		set, ok := Text(chars)
		if !ok {
			typeError("strip arg must be None or str, not %s", TypeName(chars))
		}
		is = func(r rune) bool { return strings.ContainsRune(set, r) }
	}
	if left {
		s = strings.TrimLeftFunc(s, is)
	}
	if right {
		s = strings.TrimRightFunc(s, is)
	}
	return s
}

func split(fields func(string, int) []string, by func(s, sep string, n int) []string) func(m *Machine, self Value, a []Value) Value {
	return func(m *Machine, self Value, a []Value) Value {
		s, most := self.(string), wantInt(a[1], -1)
		m.Alloc(len(s))
		if a[0] == nil || a[0] == Value(None) {
			return m.texts(fields(s, most))
		}
		sep := wantText("sep", a[0])
		if sep == "" {
			valueError("empty separator")
		}
		if most >= 0 {
			most++
		}
		return m.texts(by(s, sep, most))
	}
}

// splitRight splits at the last n−1 separators; all for n < 0.
func splitRight(s, sep string, n int) []string {
	if n < 0 {
		return strings.Split(s, sep)
	}
	var tail []string
	for ; n > 1; n-- {
		i := strings.LastIndex(s, sep)
		if i < 0 {
			break
		}
		tail = append(tail, s[i+len(sep):])
		s = s[:i]
	}
	out := []string{s}
	for i := len(tail) - 1; i >= 0; i-- {
		out = append(out, tail[i])
	}
	return out
}

func separator(a []Value) string {
	sep := wantText("separator", a[0])
	if sep == "" {
		valueError("empty separator")
	}
	return sep
}

func partition(m *Machine, self Value, a []Value) Value {
	sep := separator(a)
	if before, after, ok := strings.Cut(self.(string), sep); ok {
		return &Tuple{Items: []Value{before, sep, after}}
	}
	return &Tuple{Items: []Value{self, "", ""}}
}

func rpartition(m *Machine, self Value, a []Value) Value {
	s, sep := self.(string), separator(a)
	if i := strings.LastIndex(s, sep); i >= 0 {
		return &Tuple{Items: []Value{s[:i], sep, s[i+len(sep):]}}
	}
	return &Tuple{Items: []Value{"", "", s}}
}

// Replace is str.replace.
func (m *Machine) Replace(s, old, new string, count int) string {
	n := strings.Count(s, old)
	if count >= 0 {
		n = min(n, count)
	}
	m.Alloc(len(s))
	m.AllocTimes(len(new), int64(n))
	return strings.Replace(s, old, new, n)
}

// spanText is the part of s between the code points start and end, and whether start is inside.
func spanText(s string, start, end Value) (part string, from int, ok bool) {
	if start == nil && end == nil {
		return s, 0, true
	}
	n := utf8.RuneCountInString(s)
	from, to := spanOf(n, start, end)
	if from > n || from > to {
		return "", 0, false
	}
	at := runeOffset(s, from)
	return s[at : at+runeOffset(s[at:], to-from)], from, true
}

func affix(has func(s, fix string) bool) func(m *Machine, self Value, a []Value) Value {
	return func(m *Machine, self Value, a []Value) Value {
		s, _, ok := spanText(self.(string), a[1], a[2])
		choices := []Value{a[0]}
		if t, isTuple := a[0].(*Tuple); isTuple {
			choices = t.Items
		}
		for _, c := range choices {
			fix, isText := Text(c)
			if !isText {
				Fail(c)
				typeError("startswith first arg must be str or a tuple of str, not %s", TypeName(c))
			}
			if ok && has(s, fix) {
				return true
			}
		}
		return false
	}
}

func find(index func(s, sub string) int, must bool) func(m *Machine, self Value, a []Value) Value {
	return func(m *Machine, self Value, a []Value) Value {
		sub := wantText("sub", a[0])
		s, from, ok := spanText(self.(string), a[1], a[2])
		m.Step(len(s) / 32)
		if ok {
			if i := index(s, sub); i >= 0 {
				return int64(from + utf8.RuneCountInString(s[:i]))
			}
		}
		if must {
			valueError("substring not found")
		}
		return int64(-1)
	}
}

func countText(m *Machine, self Value, a []Value) Value {
	sub := wantText("sub", a[0])
	s, _, ok := spanText(self.(string), a[1], a[2])
	m.Step(len(s) / 32)
	if !ok {
		return int64(0)
	}
	return int64(strings.Count(s, sub))
}

// join is str.join: all items must be strings.
func (m *Machine) join(sep string, items Value) string {
	next := m.iterator(items)
	if next == nil {
		typeError("can only join an iterable")
	}
	var b strings.Builder
	for i := 0; ; i++ {
		x, ok := next()
		if !ok {
			return b.String()
		}
		s, ok := Text(x)
		if !ok {
			typeError("sequence item %d: expected str instance, %s found", i, TypeName(x))
		}
		if i > 0 {
			b.WriteString(sep)
		}
		m.Alloc(len(s) + len(sep))
		b.WriteString(s)
	}
}

func expandTabs(m *Machine, self Value, a []Value) Value {
	size := wantInt(a[0], 8)
	var b strings.Builder
	column := 0
	for _, r := range self.(string) {
		switch r {
		case '\t':
			if size > 0 {
				n := size - column%size
				column += n
				m.AllocTimes(1, int64(n))
				b.WriteString(strings.Repeat(" ", n))
			}
		case '\n', '\r':
			column = 0
			b.WriteRune(r)
		default:
			column++
			b.WriteRune(r)
		}
	}
	m.Alloc(len(self.(string)))
	return b.String()
}

func encode(m *Machine, self Value, a []Value) Value {
	s, name, onError := self.(string), "utf-8", "strict"
	if a[0] != nil {
		name = strings.ReplaceAll(strings.ToLower(wantText("encode() argument 'encoding'", a[0])), "_", "-")
	}
	if a[1] != nil {
		onError = wantText("encode() argument 'errors'", a[1])
	}
	m.Alloc(len(s))
	switch name {
	case "utf-8", "utf8":
		return Bytes(s)
	case "ascii", "us-ascii", "latin-1", "latin1", "iso-8859-1":
		return encodeNarrow(s, name, onError)
	}
	Throw("LookupError", "unknown encoding: %s (utf-8, ascii and latin-1 are supported)", name)
	return nil
}

func encodeNarrow(s, name, onError string) Value {
	most := rune(0x7f)
	if strings.HasPrefix(name, "l") || strings.HasPrefix(name, "i") {
		most = 0xff
	}
	var b []byte
	for _, r := range s {
		switch {
		case r <= most:
			b = append(b, byte(r))
		case onError == "ignore":
		case onError == "replace":
			b = append(b, '?')
		case onError == "backslashreplace":
			b = escapeRune(b, r)
		default:
			Throw("UnicodeEncodeError", "'%s' codec can't encode character", name)
		}
	}
	return Bytes(b)
}

func makeTrans(m *Machine, self Value, a []Value) Value {
	out := new(Dict)
	if a[1] == nil {
		d, ok := a[0].(*Dict)
		if !ok {
			typeError("if you give only one argument to maketrans it must be a dict")
		}
		for i, k := range d.keys {
			if s, ok := Text(k); ok {
				if utf8.RuneCountInString(s) != 1 {
					valueError("string keys in translate table must be of length 1")
				}
				r, _ := utf8.DecodeRuneInString(s)
				k = int64(r)
			} else if _, ok := small(k); !ok {
				typeError("keys in translate table must be strings or integers")
			}
			out.Set(k, d.vals[i])
		}
		return out
	}
	from, to := []rune(wantText("maketrans() argument 1", a[0])), []rune(wantText("maketrans() argument 2", a[1]))
	if len(from) != len(to) {
		valueError("the first two maketrans arguments must have equal length")
	}
	for i, r := range from {
		out.Set(int64(r), int64(to[i]))
	}
	if a[2] != nil {
		for _, r := range wantText("maketrans() argument 3", a[2]) {
			out.Set(int64(r), None)
		}
	}
	return out
}

func translate(m *Machine, self Value, a []Value) Value {
	var b strings.Builder
	for _, r := range self.(string) {
		x := m.item(a[0], int64(r))
		if x == nil {
			m.needSubscripts(a[0])
		}
		switch v := x.(type) {
		case nil:
			b.WriteRune(r)
		case NoneType:
		case int64:
			if v < 0 || v > unicode.MaxRune {
				valueError("character mapping must be in range(0x110000)")
			}
			b.WriteRune(rune(v))
		default:
			s, ok := Text(x)
			if !ok {
				typeError("character mapping must return integer, None or str")
			}
			m.Alloc(len(s))
			b.WriteString(s)
		}
	}
	m.Alloc(len(self.(string)))
	return b.String()
}
