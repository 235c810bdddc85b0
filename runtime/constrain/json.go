package constrain

// Expressions of JSON (RFC 8259).

var (
	digit    = chars{{'0', '9'}}
	digit19  = chars{{'1', '9'}}
	hexDigit = chars{{'0', '9'}, {'A', 'F'}, {'a', 'f'}}
)

// jsonSpace is where white space may stand: a model that may put any amount of
// it there may never end.
var jsonSpace = choice{empty, literal(" "), seq{repeat{literal("\n"), 1, 2}, repeat{chars{{'\t', '\t'}, {' ', ' '}}, 0, 20}}}

// plain are the characters that stand for themselves in a string.
var plain = chars{{0, 0x1f}, {'"', '"'}, {'\\', '\\'}}.not()

// jsonChar is one character of a string, escapes included: surrogates come in
// pairs.
var jsonChar = choice{
	plain,
	seq{literal(`\`), chars{{'"', '"'}, {'/', '/'}, {'\\', '\\'}, {'b', 'b'}, {'f', 'f'}, {'n', 'n'}, {'r', 'r'}, {'t', 't'}}},
	seq{literal(`\u`), choice{
		seq{chars{{'0', '9'}, {'A', 'C'}, {'E', 'F'}, {'a', 'c'}, {'e', 'f'}}, repeat{hexDigit, 3, 3}},
		seq{chars{{'D', 'D'}, {'d', 'd'}}, chars{{'0', '7'}}, repeat{hexDigit, 2, 2}},
		seq{chars{{'D', 'D'}, {'d', 'd'}}, chars{{'8', '9'}, {'A', 'B'}, {'a', 'b'}}, repeat{hexDigit, 2, 2},
			literal(`\u`), chars{{'D', 'D'}, {'d', 'd'}}, chars{{'C', 'F'}, {'c', 'f'}}, repeat{hexDigit, 2, 2}},
	}},
}

// maxDigits bounds the digits of an integer or a fraction, so that they end.
const maxDigits = 16

var (
	jsonInteger = seq{opt(literal("-")), choice{literal("0"), seq{digit19, repeat{digit, 0, maxDigits - 1}}}}
	jsonNumber  = seq{jsonInteger, opt(seq{literal("."), repeat{digit, 1, maxDigits}}),
		opt(seq{chars{{'E', 'E'}, {'e', 'e'}}, opt(chars{{'+', '+'}, {'-', '-'}}), repeat{digit, 1, 3}})}
)

// escaped turns an expression over characters into one over how a JSON string
// writes them.
func escaped(n node) node {
	switch n := n.(type) {
	case chars:
		list := choice{n.and(plain)}
		for _, s := range n {
			for r := s.lo; r <= s.hi && r <= '\\'; r++ {
				if text := escape(r); text != "" {
					list = append(list, literal(text))
				}
			}
		}
		return list
	case seq:
		out := make(seq, len(n))
		for i, part := range n {
			out[i] = escaped(part)
		}
		return out
	case choice:
		out := make(choice, len(n))
		for i, part := range n {
			out[i] = escaped(part)
		}
		return out
	case repeat:
		return repeat{escaped(n.node), n.min, n.max}
	}
	return n
}

// escape returns how a string writes a character that cannot stand for itself, ""
// for others.
func escape(r rune) string {
	const hex = "0123456789abcdef"
	switch r {
	case '"', '\\':
		return `\` + string(r)
	case '\b':
		return `\b`
	case '\f':
		return `\f`
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case '\t':
		return `\t`
	}
	if r < 0x20 {
		return `\u00` + string(hex[r>>4]) + string(hex[r&15])
	}
	return ""
}

// quoted is a string with the given text between its quotes.
func quoted(n node) node { return seq{literal(`"`), n, literal(`"`)} }

// other is the text of a string that is none of the given ones, with
// characters as they are: a trie of the texts, left where they part.
func other(texts []string) node {
	next := map[rune][]string{}
	var spans []span
	ends := false
	for _, s := range texts {
		if s == "" {
			ends = true
			continue
		}
		r := []rune(s)
		if next[r[0]] == nil {
			spans = append(spans, span{r[0], r[0]})
		}
		next[r[0]] = append(next[r[0]], string(r[1:]))
	}
	list := choice{seq{set(spans...).not().and(plain), many(plain)}}
	if !ends {
		list = append(list, empty)
	}
	for _, s := range set(spans...) {
		for r := s.lo; r <= s.hi; r++ {
			list = append(list, seq{escaped(chars{{r, r}}), other(next[r])})
		}
	}
	return list
}
