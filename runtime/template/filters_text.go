package template

import (
	"strings"
	"unicode/utf8"

	"github.com/tfgen/tfgen/runtime/template/py"
)

// Filters of texts.
var (
	FilterTitle = &Filter{names: "title", title: "do_title", params: "s", call: title}
	FilterTrim  = &Filter{names: "trim", title: "do_trim", params: "value chars?", call: func(s *State, a []Value) Value {
		return s.method(s.soft(a[0]), "strip", given(a[1], py.None))
	}}
	FilterCenter = &Filter{names: "center", title: "do_center", params: "value width?", call: func(s *State, a []Value) Value {
		return s.method(s.soft(a[0]), "center", given(a[1], int64(80)))
	}}
	FilterReplace    = &Filter{names: "replace", title: "do_replace", params: "s old new count?", call: replace}
	FilterIndent     = &Filter{names: "indent", title: "do_indent", params: "s width? first? blank?", call: indent}
	FilterTruncate   = &Filter{names: "truncate", title: "do_truncate", params: "s length? killwords? end? leeway?", call: truncate}
	FilterWordcount  = &Filter{names: "wordcount", title: "do_wordcount", params: "s", call: wordcount}
	FilterWordwrap   = &Filter{names: "wordwrap", title: "do_wordwrap", params: "s width? break_long_words? wrapstring? break_on_hyphens?", call: wordwrap}
	FilterStriptags  = &Filter{names: "striptags", title: "do_striptags", params: "value", call: func(s *State, a []Value) Value { return s.StripTags(s.Str(a[0])) }}
	FilterUrlencode  = &Filter{names: "urlencode", title: "do_urlencode", params: "value", call: urlencode}
	FilterUrlize     = &Filter{names: "urlize", title: "do_urlize", params: "value trim_url_limit? nofollow? target? rel? extra_schemes?", call: urlize}
	FilterXmlattr    = &Filter{names: "xmlattr", title: "do_xmlattr", params: "d autospace?", call: xmlattr}
	FilterUpper      = &Filter{names: "upper", title: "do_upper", params: "s", call: func(s *State, a []Value) Value { return like(s, a, "upper") }}
	FilterLower      = &Filter{names: "lower", title: "do_lower", params: "s", call: func(s *State, a []Value) Value { return like(s, a, "lower") }}
	FilterCapitalize = &Filter{names: "capitalize", title: "do_capitalize", params: "s", call: func(s *State, a []Value) Value { return like(s, a, "capitalize") }}
	FilterFormat     = &Filter{names: "format", free: format}
)

// like is a filter that calls a method of str.
func like(s *State, a []Value, method string) Value { return s.method(s.soft(a[0]), method) }

// title begins words with upper case: after "-", white space and opening brackets.
func title(s *State, a []Value) Value {
	v := s.soft(a[0])
	text, _ := py.Text(v)
	s.Alloc(len(text))
	var b strings.Builder
	for text != "" {
		n := strings.IndexFunc(text, isWordStart)
		if n == 0 {
			r, size := utf8.DecodeRuneInString(text)
			b.WriteRune(r)
			text = text[size:]
			continue
		}
		if n < 0 {
			n = len(text)
		}
		_, size := utf8.DecodeRuneInString(text)
		b.WriteString(py.Upper(text[:size]) + py.Lower(text[size:n]))
		text = text[n:]
	}
	return b.String()
}

func isWordStart(r rune) bool { return strings.ContainsRune("-({[<", r) || py.IsSpace(r) }

func replace(s *State, a []Value) Value {
	count := py.WantInt(noneIsAbsent(a[3]), -1)
	if !s.escape {
		return s.Replace(s.Str(a[0]), s.Str(a[1]), s.Str(a[2]), count)
	}
	x := s.soft(a[0])
	_, oldSafe := a[1].(py.Markup)
	_, newSafe := a[2].(py.Markup)
	if _, safe := x.(py.Markup); oldSafe || newSafe && !safe {
		x = s.EscapeValue(a[0])
	}
	return s.method(x, "replace", s.soft(a[1]), s.soft(a[2]), int64(count))
}

func noneIsAbsent(v Value) Value {
	if v == Value(py.None) {
		return nil
	}
	return v
}

// format is the filter: x % arguments.
func format(s *State, x Value, a py.Args) Value {
	if len(a.Pos) > 0 && len(a.Names) > 0 {
		py.Throw("FilterArgumentError", "can't handle positional and keyword arguments at the same time")
	}
	if len(a.Names) > 0 {
		return s.Mod(s.soft(x), py.MakeDict(&s.Machine, a))
	}
	return s.Mod(s.soft(x), &py.Tuple{Items: a.Pos})
}

func indent(s *State, a []Value) Value {
	by := ""
	if text, ok := py.Text(given(a[1], int64(4))); ok {
		by = text
	} else {
		n := max(py.WantInt(a[1], 4), 0)
		s.Alloc(n)
		by = strings.Repeat(" ", n)
	}
	_, safe := a[0].(py.Markup)
	text := textOf(s.Add(a[0], "\n"))
	lines := py.SplitLines(text, false)
	s.AllocTimes(len(by), int64(len(lines)))
	s.Alloc(len(text))
	if safe {
		by = string(py.Escape(&s.Machine, by, by))
		if m, ok := a[1].(py.Markup); ok {
			by = string(m)
		}
	}
	for i, l := range lines {
		if i > 0 && (l != "" || s.truth(a[3])) {
			lines[i] = by + l
		}
	}
	out := strings.Join(lines, "\n")
	if s.truth(a[2]) {
		out = by + out
	}
	if safe {
		return py.Markup(out)
	}
	return out
}

func truncate(s *State, a []Value) Value {
	length, leeway := given(a[1], int64(255)), given(noneIsAbsent(a[4]), int64(5))
	end := int64(utf8.RuneCountInString(textOf(given(a[3], "..."))))
	if !s.Compare(">=", length, end) {
		py.Throw("AssertionError", "expected length >= %d, got %s", end, s.Str(length))
	}
	if !s.Compare(">=", leeway, int64(0)) {
		py.Throw("AssertionError", "expected leeway >= 0, got %s", s.Str(leeway))
	}
	if s.Compare("<=", int64(s.Len(a[0])), s.Add(length, leeway)) {
		return a[0]
	}
	head := s.Slice(a[0], nil, s.Sub(length, end), nil)
	if !s.truth(a[2]) {
		head = s.GetItem(s.method(head, "rsplit", " ", int64(1)), int64(0))
	}
	return s.Add(head, given(a[3], "..."))
}

func wordcount(s *State, a []Value) Value {
	n, in := int64(0), false
	for _, r := range textOf(s.soft(a[0])) {
		word := r == '_' || py.IsAlnum(r)
		if word && !in {
			n++
		}
		in = word
	}
	return n
}

// quoteURL is urllib.parse.quote of the UTF-8 of a value.
func (s *State) quoteURL(v Value, query bool) string {
	text := ""
	if b, ok := v.(py.Bytes); ok {
		text = string(b)
	} else {
		text = s.Str(v)
	}
	s.AllocTimes(3, int64(len(text)))
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("_.-~", c) >= 0, c == '/' && !query:
			b.WriteByte(c)
		case c == ' ' && query:
			b.WriteByte('+')
		default:
			const hex = "0123456789ABCDEF"
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

func urlencode(s *State, a []Value) Value {
	if _, isText := py.Text(a[0]); isText || !s.IsIterable(a[0]) {
		return s.quoteURL(a[0], false)
	}
	items := a[0]
	if d, ok := items.(*py.Dict); ok {
		items = &py.View{Dict: d, Kind: "items"}
	}
	var parts []string
	next := s.Iter(items)
	for x, ok := next(); ok; x, ok = next() {
		pair := s.Unpack(x, 2)
		parts = append(parts, s.quoteURL(pair[0], true)+"="+s.quoteURL(pair[1], true))
	}
	return strings.Join(parts, "&")
}

func xmlattr(s *State, a []Value) Value {
	var parts []string
	items := s.Items(s.method(a[0], "items"))
	for _, x := range items {
		pair := s.Unpack(x, 2)
		if pair[1] == Value(py.None) || py.IsUndefined(pair[1]) {
			continue
		}
		if key := textOf(pair[0]); strings.ContainsAny(key, " \t\n\r\f\v/>=") {
			py.Throw("ValueError", "Invalid character in attribute name: %s", s.Repr(key))
		}
		parts = append(parts, string(s.EscapeValue(pair[0]))+`="`+string(s.EscapeValue(pair[1]))+`"`)
	}
	text := strings.Join(parts, " ")
	if text != "" && (a[1] == nil || s.Truth(a[1])) {
		text = " " + text
	}
	s.Alloc(len(text))
	return s.Marked(text)
}
