package toolcall

import (
	"strings"

	"github.com/tfgen/tfgen/runtime/json"
)

// tagOpen begins a call with a tag for every argument.
func (p *Parser) tagOpen() bool {
	t := p.calls.Tags
	if t.Open != "" {
		if has, sure := p.has(t.Open); !sure {
			return false
		} else if !has {
			return p.malformed()
		}
		p.take(len(t.Open))
	}
	p.state = (*Parser).tagName
	return true
}

func (p *Parser) tagName() bool {
	t := p.calls.Tags
	at, end := -1, ""
	for _, e := range t.NameEnd {
		if i := strings.Index(p.buf, e); i >= 0 && (at < 0 || i < at) {
			at, end = i, e
		}
	}
	if at < 0 {
		return p.waiting()
	}
	name := strings.TrimSpace(p.take(at))
	if end == t.NameEnd[0] {
		p.take(len(end))
	}
	if name == "" {
		return p.malformed()
	}
	p.start(name, "")
	p.add("{")
	p.state = (*Parser).tagBody
	return true
}

// tagBody reads what is between arguments.
func (p *Parser) tagBody() bool {
	if !p.skipSpace() {
		return false
	}
	t := p.calls.Tags
	end := t.Close
	if end == "" {
		end = p.calls.End
	}
	has, sure := p.has(end)
	if !sure {
		return false
	}
	if has {
		if t.Close != "" {
			p.take(len(end))
		}
		p.add("}")
		p.finish()
		if p.calls.End == "" {
			return p.leave()
		}
		p.state = (*Parser).dispatch
		return true
	}
	if has, sure = p.has(t.ParamOpen); !sure {
		return false
	} else if !has {
		return p.malformed()
	}
	p.take(len(t.ParamOpen))
	p.state = (*Parser).tagKey
	return true
}

// tagKey reads an argument's name and attributes.
func (p *Parser) tagKey() bool {
	t := p.calls.Tags
	at := strings.Index(p.buf, t.KeyEnd)
	if at < 0 {
		return p.waiting()
	}
	rest, attrs := p.buf[at+len(t.KeyEnd):], ""
	if t.AttrEnd != "" {
		i := strings.Index(rest, t.AttrEnd)
		if i < 0 {
			return p.waiting()
		}
		attrs, rest = rest[:i], rest[i+len(t.AttrEnd):]
	}
	if t.ValueOpen != "" {
		trimmed := strings.TrimLeft(rest, " \n\r\t")
		if !strings.HasPrefix(trimmed, t.ValueOpen) {
			if strings.HasPrefix(t.ValueOpen, trimmed) {
				return p.waiting()
			}
			return p.malformed()
		}
		rest = trimmed[len(t.ValueOpen):]
	}
	key := strings.TrimSpace(p.buf[:at])
	p.take(len(p.buf) - len(rest))
	isText, isTyped := t.StringAttr != "" && strings.Contains(attrs, t.StringAttr), t.StringAttr != ""
	p.state = func(p *Parser) bool { return p.tagValue(key, isText, isTyped) }
	return true
}

// tagValue reads an argument's value. One line break at each end belongs to the tags.
func (p *Parser) tagValue(key string, isText, isTyped bool) bool {
	t := p.calls.Tags
	value, ok := p.until(strings.ReplaceAll(t.ParamClose, "$key", key))
	if !ok {
		return p.waiting()
	}
	value = strings.TrimSuffix(strings.TrimPrefix(value, "\n"), "\n")
	sep := ""
	if p.call.args.Len() > 1 {
		sep = ", "
	}
	typed := value
	switch {
	case t.Nested != "" && strings.HasPrefix(value, t.Nested+"<"):
		typed = nestedJSON(value, t.Nested, 0)
	case isText:
		typed = json.Quote(value)
	case !isTyped:
		typed = p.typed(p.call.name, key, value)
	case !json.Valid([]byte(value)):
		typed = json.Quote(value)
	}
	p.add(sep + json.Quote(key) + ": " + typed)
	p.state = (*Parser).tagBody
	return true
}

// typed is a value in JSON. The tool's schema says which type it has; without one, what reads as JSON other than a string is
// that.
func (p *Parser) typed(name, key, value string) string {
	switch p.schemaType(name, key) {
	case "string":
		return json.Quote(value)
	case "boolean", "null":
		if lower := strings.ToLower(strings.TrimSpace(value)); lower == "true" || lower == "false" || lower == "null" {
			return lower
		}
	}
	trimmed := strings.TrimSpace(value)
	if json.Valid([]byte(trimmed)) && !strings.HasPrefix(trimmed, `"`) {
		return trimmed
	}
	if p.schemaType(name, key) != "" || strings.HasPrefix(trimmed, "[") || strings.HasPrefix(trimmed, "{") {
		if v, err := pythonLiteral(trimmed); err == nil {
			return v
		}
	}
	return json.Quote(value)
}

// nestedJSON is a value made of tags in JSON: a list of items, or an object.
func nestedJSON(s, mark string, depth int) string {
	var keys, values []string
	for rest := strings.TrimSpace(s); rest != ""; rest = strings.TrimSpace(rest) {
		key, after, ok := strings.Cut(strings.TrimPrefix(rest, mark+"<"), ">")
		value, tail, closed := strings.Cut(after, mark+"</"+key+">")
		if !ok || !closed || !strings.HasPrefix(rest, mark+"<") || depth > 32 {
			return json.Quote(s)
		}
		switch {
		case strings.HasPrefix(value, mark+"<"):
			value = nestedJSON(value, mark, depth+1)
		case !json.Valid([]byte(value)):
			value = json.Quote(value)
		}
		keys, values, rest = append(keys, key), append(values, value), tail
	}
	if keys[0] == "item" {
		return "[" + strings.Join(values, ", ") + "]"
	}
	for i, k := range keys {
		values[i] = json.Quote(k) + ": " + values[i]
	}
	return "{" + strings.Join(values, ", ") + "}"
}

// schemaType is the type of a tool's argument, "" if it is not known.
func (p *Parser) schemaType(name, key string) string {
	for _, t := range p.options.Tools {
		if t.Name != name {
			continue
		}
		raw, kind := t.Parameters, ""
		for _, member := range []string{"properties", key, "type"} {
			var object map[string]json.RawMessage
			if json.Unmarshal(raw, &object) != nil {
				object = nil
			}
			raw = object[member]
		}
		if json.Unmarshal(raw, &kind) == nil {
			return kind
		}
	}
	return ""
}
