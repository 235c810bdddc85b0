package py

import (
	"strings"
)

var escaper = strings.NewReplacer("&", "&amp;", ">", "&gt;", "<", "&lt;", "'", "&#39;", `"`, "&#34;")

// Escape is markupsafe.escape of v, whose text is s.
func Escape(m *Machine, v Value, s string) Markup {
	if x, ok := v.(Markup); ok {
		return x
	}
	m.Alloc(len(s))
	return Markup(escaper.Replace(s))
}

// EscapeValue is markupsafe.escape(v).
func (m *Machine) EscapeValue(v Value) Markup { return Escape(m, v, m.Str(v)) }

// markupMethods are those of str: their results are Markup, and text that goes into them is escaped.
var markupMethods methods

func makeMarkupMethods() methods {
	escaped := map[string]int{"replace": 1, "ljust": 1, "rjust": 1, "center": 1} // the argument that is escaped
	t := methods{}
	for name, f := range strMethods {
		t[name] = method{f.sig, func(m *Machine, self Value, a []Value) Value {
			if i, ok := escaped[name]; ok && a[i] != nil {
				a[i] = string(m.EscapeValue(a[i]))
			}
			if name == "join" {
				a[0] = &List{m.escapeAll(m.Items(a[0]))}
			}
			return wrapMarkup(f.fn(m, string(self.(Markup)), a))
		}}
	}
	t["striptags"] = method{NewSignature("striptags", "/"), func(m *Machine, self Value, a []Value) Value { return m.StripTags(string(self.(Markup))) }}
	t["unescape"] = method{NewSignature("unescape", "/"), func(m *Machine, self Value, a []Value) Value {
		m.Alloc(len(self.(Markup)))
		return unescape(string(self.(Markup)))
	}}
	return t
}

func (m *Machine) escapeAll(items []Value) []Value {
	for i, x := range items {
		items[i] = string(m.EscapeValue(x))
	}
	return items
}

func wrapMarkup(v Value) Value {
	switch v := v.(type) {
	case string:
		return Markup(v)
	case *List:
		for i, x := range v.Items {
			v.Items[i] = wrapMarkup(x)
		}
	case *Tuple:
		for i, x := range v.Items {
			v.Items[i] = wrapMarkup(x)
		}
	}
	return v
}

func (m *Machine) markupPercent(s Markup, b Value) Value {
	if t, ok := b.(*Tuple); ok {
		b = &Tuple{Items: m.escapeEach(t.Items)}
	} else if d, ok := b.(*Dict); ok {
		c := new(Dict)
		for i, k := range d.keys {
			c.Set(k, m.escapeEach(d.vals[i : i+1])[0])
		}
		b = c
	} else if _, isMapping := namedValues(b); !isMapping {
		b = m.escapeEach([]Value{b})[0]
	}
	return Markup(m.Percent(string(s), b))
}

// escapeEach escapes values that are not numbers.
func (m *Machine) escapeEach(items []Value) []Value {
	out := make([]Value, len(items))
	for i, x := range items {
		if out[i] = x; !isNumber(x) {
			out[i] = string(m.EscapeValue(x))
		}
	}
	return out
}

// StripTags is Markup.striptags.
func (m *Machine) StripTags(s string) string {
	m.Alloc(len(s))
	var b strings.Builder
	for {
		start := strings.IndexByte(s, '<')
		if start < 0 {
			break
		}
		end, n := strings.IndexByte(s[start:], '>'), 1
		if strings.HasPrefix(s[start:], "<!--") {
			end, n = strings.Index(s[start+4:], "-->"), 7
		}
		if end < 0 {
			break
		}
		b.WriteString(s[:start])
		s = s[start+end+n:]
	}
	b.WriteString(s)
	return unescape(strings.Join(Fields(b.String(), -1), " "))
}
