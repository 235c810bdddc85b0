package toolcall

import (
	"slices"
	"strings"

	"github.com/tfgen/tfgen/runtime/json"
)

// scanner finds the end of a JSON value without keeping it.
type scanner struct {
	depth            int
	inString, escape bool
	scalar, done     bool
}

// scan reads a piece of the value and returns how much of it belongs to it.
func (s *scanner) scan(text string) int {
	for i := range len(text) {
		c := text[i]
		switch {
		case s.inString:
			s.string(c)
		case c == '"':
			s.inString = true
		case c == '{' || c == '[':
			s.depth++
		case c == '}' || c == ']':
			if s.depth == 0 {
				s.done = true
				return i
			}
			s.depth--
		case s.depth == 0 && (c == ',' || c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '<' || c == '`'):
			s.done = true
			return i
		default:
			s.scalar = s.scalar || s.depth == 0
			continue
		}
		if s.depth == 0 && !s.inString {
			s.done = true
			return i + 1
		}
	}
	return len(text)
}

func (s *scanner) string(c byte) {
	switch {
	case s.escape:
		s.escape = false
	case c == '\\':
		s.escape = true
	case c == '"':
		s.inString = false
	}
}

// object is where the parser is in the object of a call.
type object struct {
	array   bool // the calls are in an array
	key     string
	value   *scanner
	role    string          // of the value: "name", "args", "id", ""
	held    strings.Builder // a value that is needed whole
	args    string          // came in front of the name
	hasArgs bool
	name    string
	id      string
	stream  bool // the arguments are emitted as they come
}

// values begins an object or array of calls.
func (p *Parser) values() bool {
	o := &object{}
	p.state = func(p *Parser) bool { return p.objects(o) }
	return true
}

// objects reads what is between objects.
func (p *Parser) objects(o *object) bool {
	if !p.skipSpace() {
		return false
	}
	switch {
	case p.buf == "" && !o.array:
		p.state = (*Parser).dispatch
	case p.buf == "":
		return p.malformed()
	case p.buf[0] == '[' && !o.array:
		p.take(1)
		o.array = true
	case p.buf[0] == ']' && o.array:
		p.take(1)
		p.state = (*Parser).afterArray
	case p.buf[0] == ',' || p.buf[0] == ';':
		p.take(1)
	case p.buf[0] == '{':
		p.take(1)
		*o = object{array: o.array}
		p.state = func(p *Parser) bool { return p.member(o) }
	case o.array:
		return p.malformed()
	case p.calls.End == "":
		p.raw.Reset()
		return p.leave()
	default:
		if has, sure := p.has(p.calls.End); has || !sure {
			p.state = (*Parser).dispatch
			return sure
		}
		return p.malformed()
	}
	return true
}

// afterArray expects the end of the calls.
func (p *Parser) afterArray() bool {
	p.raw.Reset()
	if p.calls.End == "" {
		return p.leave()
	}
	p.state = (*Parser).dispatch
	return true
}

// member reads a key, or the end of the object.
func (p *Parser) member(o *object) bool {
	if !p.skipSpace() {
		return false
	}
	switch {
	case p.buf == "":
		return p.malformed()
	case p.buf[0] == '}':
		p.take(1)
		return p.objectEnd(o)
	case p.buf[0] == ',':
		p.take(1)
		return true
	case p.buf[0] != '"':
		return p.malformed()
	}
	var s scanner
	n := s.scan(p.buf)
	if !s.done {
		return p.waiting()
	}
	rest := strings.TrimLeft(p.buf[n:], " \n\r\t")
	if rest == "" {
		return p.waiting()
	}
	if rest[0] != ':' || json.Unmarshal([]byte(p.buf[:n]), &o.key) != nil {
		return p.malformed()
	}
	p.take(len(p.buf) - len(rest) + 1)
	p.state = func(p *Parser) bool { return p.value(o) }
	return true
}

// value begins the value of a key.
func (p *Parser) value(o *object) bool {
	if !p.skipSpace() {
		return false
	}
	if p.buf == "" {
		return p.malformed()
	}
	j := p.calls.JSON
	o.value, o.role, o.stream = &scanner{}, "", false
	o.held.Reset()
	switch {
	case j.KeyIsName && o.name == "":
		o.name, o.role = o.key, "args"
	case slices.Contains(j.Name, o.key):
		o.role = "name"
	case slices.Contains(j.Args, o.key):
		o.role = "args"
	case slices.Contains(j.ID, o.key):
		o.role = "id"
	}
	if o.role == "args" && o.name != "" && p.buf[0] == '{' && !p.call.begun {
		o.stream = true
		p.start(o.name, o.id)
	}
	p.state = func(p *Parser) bool { return p.inValue(o) }
	return true
}

// inValue reads a value.
func (p *Parser) inValue(o *object) bool {
	s := p.take(o.value.scan(p.buf))
	if o.stream {
		p.add(s)
	} else if o.role != "" {
		o.held.WriteString(s)
	}
	if !o.value.done {
		if o.held.Len() > maxPending {
			return p.malformed()
		}
		return p.eof && p.malformed()
	}
	var text string
	isText := json.Unmarshal([]byte(o.held.String()), &text) == nil && strings.HasPrefix(strings.TrimSpace(o.held.String()), `"`)
	switch {
	case o.role == "name" && isText:
		o.name = text
	case o.role == "id":
		if o.id = o.held.String(); isText {
			o.id = text
		}
	case o.role == "args":
		o.hasArgs = true
		if o.args = o.held.String(); isText && json.Valid([]byte(text)) {
			o.args = text
		}
	}
	p.state = func(p *Parser) bool { return p.member(o) }
	return true
}

// objectEnd ends a call. An object without a name is none; where no mark announced calls, one without arguments neither.
func (p *Parser) objectEnd(o *object) bool {
	bare := p.calls == p.format.Bare
	if o.name == "" || bare && !o.hasArgs {
		if bare {
			raw := p.raw.String()
			p.raw.Reset()
			p.leave()
			p.trim = false
			p.text(raw)
			return true
		}
		return p.malformed()
	}
	if !p.call.begun {
		p.start(o.name, o.id)
		if o.args == "" || o.args == "null" {
			o.args = "{}"
		}
		p.add(o.args)
	}
	p.finish()
	*o = object{array: o.array}
	p.state = func(p *Parser) bool { return p.objects(o) }
	return true
}
