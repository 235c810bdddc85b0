package syntax

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tfgen/tfgen/runtime/template/py"
)

// token is one token of a template; kind is its name in jinja's messages.
type token struct {
	kind string // "data", "block_begin", …, "name", "string", "integer", "float", "eof" or an operator's name
	text string
	line int
}

func (t token) is(kind, text string) bool { return t.kind == kind && t.text == text }

// operators by their text, longest first.
var operators = []struct{ text, kind string }{
	{"//", "floordiv"}, {"**", "pow"}, {"==", "eq"}, {"!=", "ne"}, {">=", "gteq"}, {"<=", "lteq"},
	{"+", "add"}, {"-", "sub"}, {"/", "div"}, {"*", "mul"}, {"%", "mod"}, {"~", "tilde"}, {"[", "lbracket"}, {"]", "rbracket"},
	{"(", "lparen"}, {")", "rparen"}, {"{", "lbrace"}, {"}", "rbrace"}, {">", "gt"}, {"<", "lt"}, {"=", "assign"},
	{".", "dot"}, {":", "colon"}, {"|", "pipe"}, {",", "comma"}, {";", "semicolon"},
}

var kindNames = map[string]string{
	"block_begin": "begin of statement block", "block_end": "end of statement block", "variable_begin": "begin of print statement",
	"variable_end": "end of print statement", "data": "template data / text", "eof": "end of template",
}

// describe names a token as jinja's messages do.
func (t token) describe() string {
	if t.kind == "name" {
		return t.text
	}
	return describeKind(t.kind)
}

func describeKind(kind string) string {
	for _, o := range operators {
		if o.kind == kind {
			return o.text
		}
	}
	if s, ok := kindNames[kind]; ok {
		return s
	}
	return kind
}

func fail(line int, format string, args ...any) {
	panic(&py.Error{Type: "TemplateSyntaxError", Message: fmt.Sprintf(format, args...), Line: line})
}

// lexer is jinja's lexer with trim_blocks and lstrip_blocks.
type lexer struct {
	src       string
	pos, line int
	lineStart bool // the last match ended a line
	tokens    []token
	brackets  []byte // closing brackets that are expected
}

// newlines makes \n of every line end.
func newlines(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// lex returns the tokens of a template.
func lex(src string) []token {
	l := &lexer{src: strings.TrimSuffix(newlines(src), "\n"), line: 1, lineStart: true}
	for l.pos < len(l.src) {
		l.root()
	}
	l.emit("eof", "")
	return l.tokens
}

func (l *lexer) emit(kind, text string) {
	if l.tokens = append(l.tokens, token{kind, text, l.line}); len(l.tokens) > maxTokens {
		fail(l.line, "the template has more than %d tokens", maxTokens)
	}
}

// advance moves over n bytes.
func (l *lexer) advance(n int) {
	s := l.src[l.pos : l.pos+n]
	l.line += strings.Count(s, "\n")
	l.lineStart = strings.HasSuffix(s, "\n")
	l.pos += n
}

// root reads text up to the next tag, and the tag.
func (l *lexer) root() {
	rest := l.src[l.pos:]
	at := tagStart(rest)
	if at < 0 {
		l.emit("data", rest)
		l.advance(len(rest))
		return
	}
	kind := rest[at+1]
	n, sign := 2, byte(0)
	if at+2 < len(rest) && (rest[at+2] == '-' || rest[at+2] == '+') {
		n, sign = 3, rest[at+2]
	}
	if text := l.strip(rest[:at], sign, kind != '{'); text != "" {
		l.emit("data", text)
	}
	raw := 0
	if kind == '%' {
		raw = rawBegin(rest[at+n:])
	}
	l.advance(at + n + raw)
	switch {
	case raw > 0:
		l.raw()
	case kind == '#':
		l.comment()
	case kind == '%':
		l.emit("block_begin", "")
		l.inside("block_end", "%}")
	default:
		l.emit("variable_begin", "")
		l.inside("variable_end", "}}")
	}
}

// tagStart is where the first tag begins, or −1.
func tagStart(s string) int {
	for from := 0; ; {
		i := strings.IndexByte(s[from:], '{')
		if i < 0 || from+i+1 == len(s) {
			return -1
		}
		from += i
		if c := s[from+1]; c == '{' || c == '%' || c == '#' {
			return from
		}
		from++
	}
}

// strip takes white space off the text before a tag: all for "-"; else, before blocks and comments, what is in front of the
// tag on its line.
func (l *lexer) strip(text string, sign byte, block bool) string {
	switch {
	case sign == '-':
		return strings.TrimRightFunc(text, py.IsSpace)
	case sign == '+' || !block:
		return text
	}
	start := strings.LastIndexByte(text, '\n') + 1
	if (start > 0 || l.lineStart) && strings.TrimLeftFunc(text[start:], py.IsSpace) == "" {
		return text[:start]
	}
	return text
}

func spaces(s string) int { return len(s) - len(strings.TrimLeftFunc(s, py.IsSpace)) }

// rawBegin is the length of "raw %}" at the start of s, 0 if it is not there.
func rawBegin(s string) int {
	n := spaces(s)
	if !strings.HasPrefix(s[n:], "raw") {
		return 0
	}
	n += 3
	n += spaces(s[n:])
	switch {
	case strings.HasPrefix(s[n:], "-%}"):
		return n + 3 + spaces(s[n+3:])
	case strings.HasPrefix(s[n:], "%}"):
		return n + 2
	}
	return 0
}

// tagEnd is the length of the end of a block or comment at the start of s, 0 if it is not there. The line break after the
// tag belongs to it.
func tagEnd(s, end string) int {
	switch {
	case strings.HasPrefix(s, "+"+end):
		return 1 + len(end)
	case strings.HasPrefix(s, "-"+end):
		return 1 + len(end) + spaces(s[1+len(end):])
	case strings.HasPrefix(s, end+"\n"):
		return len(end) + 1
	case strings.HasPrefix(s, end):
		return len(end)
	}
	return 0
}

func (l *lexer) comment() {
	rest := l.src[l.pos:]
	at := strings.Index(rest, "#}")
	if rest == "" { // jinja does not mind a comment or raw block that begins where the template ends
		return
	}
	if at < 0 {
		fail(l.line, "Missing end of comment tag")
	}
	if at > 0 && (rest[at-1] == '-' || rest[at-1] == '+') {
		at--
	}
	l.advance(at + tagEnd(rest[at:], "#}"))
}

// raw reads up to endraw.
func (l *lexer) raw() {
	rest := l.src[l.pos:]
	if rest == "" {
		return
	}
	for at := 0; ; at++ {
		i := strings.Index(rest[at:], "{%")
		if i < 0 {
			fail(l.line, "Missing end of raw directive")
		}
		at += i
		n, sign := 2, byte(0)
		if at+2 < len(rest) && (rest[at+2] == '-' || rest[at+2] == '+') {
			n, sign = 3, rest[at+2]
		}
		n += spaces(rest[at+n:])
		if !strings.HasPrefix(rest[at+n:], "endraw") {
			continue
		}
		n += len("endraw")
		n += spaces(rest[at+n:])
		if end := tagEnd(rest[at+n:], "%}"); end > 0 {
			if text := l.strip(rest[:at], sign, true); text != "" {
				l.emit("data", text)
			}
			l.advance(at + n + end)
			return
		}
	}
}

// inside reads the tokens of a tag up to its end.
func (l *lexer) inside(kind, end string) {
	for {
		rest := l.src[l.pos:]
		if rest == "" {
			return
		}
		if len(l.brackets) == 0 {
			if n := l.endOf(rest, end); n > 0 {
				l.emit(kind, "")
				l.advance(n)
				return
			}
		}
		if n := spaces(rest); n > 0 {
			l.advance(n)
			continue
		}
		l.expression(rest)
	}
}

func (l *lexer) endOf(rest, end string) int {
	if end == "%}" {
		return tagEnd(rest, end)
	}
	switch {
	case strings.HasPrefix(rest, "-"+end):
		return 1 + len(end) + spaces(rest[1+len(end):])
	case strings.HasPrefix(rest, end):
		return len(end)
	}
	return 0
}

// expression reads one token of an expression.
func (l *lexer) expression(rest string) {
	afterDot := l.pos > 0 && l.src[l.pos-1] == '.'
	if n := floatLen(rest); n > 0 && !afterDot {
		l.emit("float", strings.ReplaceAll(rest[:n], "_", ""))
		l.advance(n)
		return
	}
	if n := integerLen(rest); n > 0 {
		l.emit("integer", strings.ReplaceAll(rest[:n], "_", ""))
		l.advance(n)
		return
	}
	if n := nameLen(rest); n > 0 {
		if !py.IsIdentifier(rest[:n]) {
			fail(l.line, "Invalid character in identifier")
		}
		l.emit("name", rest[:n])
		l.advance(n)
		return
	}
	if n := stringLen(rest); n > 0 {
		l.emit("string", unescape(rest[1:n-1], l.line))
		l.advance(n)
		return
	}
	l.operator(rest)
}

func (l *lexer) operator(rest string) {
	for _, o := range operators {
		if !strings.HasPrefix(rest, o.text) {
			continue
		}
		switch c := o.text[0]; c {
		case '(':
			l.brackets = append(l.brackets, ')')
		case '[', '{':
			l.brackets = append(l.brackets, c+2)
		case ')', ']', '}':
			n := len(l.brackets) - 1
			if n < 0 {
				fail(l.line, "unexpected '%c'", c)
			}
			if l.brackets[n] != c {
				fail(l.line, "unexpected '%c', expected '%c'", c, l.brackets[n])
			}
			l.brackets = l.brackets[:n]
		}
		l.emit(o.kind, o.text)
		l.advance(len(o.text))
		return
	}
	r, _ := utf8.DecodeRuneInString(rest)
	fail(l.line, "unexpected char %s at %d", new(py.Machine).Repr(string(r)), utf8.RuneCountInString(l.src[:l.pos]))
}
