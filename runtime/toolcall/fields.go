package toolcall

import (
	"strings"

	"github.com/tfgen/tfgen/runtime/json"
)

// fields begins a call whose name stands in front of its arguments.
func (p *Parser) fields() bool {
	f := p.calls.Fields
	if f.Open != "" {
		if has, sure := p.has(f.Open); !sure {
			return false
		} else if !has {
			return p.malformed()
		}
		p.take(len(f.Open))
	}
	p.state = (*Parser).fieldHead
	return true
}

// fieldHead reads name and id.
func (p *Parser) fieldHead() bool {
	f := p.calls.Fields
	head, ok := p.until(f.HeadEnd)
	if !ok {
		return p.waiting()
	}
	name, id := head, ""
	if f.Split != "" {
		if before, after, found := strings.Cut(head, f.Split); found {
			name, id = after, before
			if f.NameFirst {
				name, id = before, after
			}
		}
	} else {
		id = head
	}
	name = strings.TrimPrefix(strings.TrimSpace(name), f.TrimPrefix)
	if f.CutAt != "" {
		name, _, _ = strings.Cut(name, f.CutAt)
	}
	if !f.ID {
		id = ""
	}
	if name == "" {
		return p.malformed()
	}
	p.start(name, strings.TrimSpace(id))
	p.state = p.arguments((*Parser).fieldEnd)
	return true
}

// arguments returns the state that reads arguments in JSON, then goes to the next one.
func (p *Parser) arguments(next func(*Parser) bool) func(*Parser) bool {
	var s scanner
	started := false
	return func(p *Parser) bool {
		if !started && !p.skipSpace() {
			return false
		}
		started = true
		p.add(p.take(s.scan(p.buf)))
		if !s.done && !(s.scalar && p.eof) {
			return p.eof && p.malformed()
		}
		if p.call.args.Len() == 0 {
			p.add("{}")
		}
		p.state = next
		return true
	}
}

// fieldEnd reads the end of the call.
func (p *Parser) fieldEnd() bool {
	if c := p.calls.Fields.Close; c != "" {
		if _, ok := p.until(c); !ok {
			if !p.eof {
				return len(p.buf) > maxPending && p.malformed()
			}
			p.take(len(p.buf))
		}
	}
	p.finish()
	if p.calls.Fields.Open == "" {
		return p.leave()
	}
	p.state = (*Parser).dispatch
	return true
}

// opening looks whether the answer goes on with the header that the prompt began, as " to=functions.f".
func (p *Parser) opening() bool {
	trimmed := strings.TrimLeft(p.buf, " ")
	to := p.format.Head.To
	if !p.eof && len(trimmed) < len(to) && strings.HasPrefix(to, trimmed) {
		return false
	}
	p.state = (*Parser).scan
	if strings.HasPrefix(trimmed, to) {
		p.state = (*Parser).inHeader
	}
	return true
}

// header begins or ends a message of the harmony format.
func (p *Parser) header(mark string) {
	for _, b := range p.format.Head.Begin {
		if b == mark {
			p.space = ""
			p.raw.Reset()
			p.raw.WriteString(mark)
			p.state = (*Parser).inHeader
			return
		}
	}
	p.turn(Text)
	p.space, p.started, p.trim = "", false, true
}

// inHeader reads a header: its channel says what the message is, its recipient makes it a call.
func (p *Parser) inHeader() bool {
	h := p.format.Head
	i := strings.Index(p.buf, h.End)
	if i < 0 {
		if p.eof {
			p.state = (*Parser).scan
			p.text(p.raw.String() + p.consume(len(p.buf)))
		}
		return p.eof
	}
	mark := p.raw.String()
	head := mark + p.consume(i)
	p.consume(len(h.End))
	p.raw.WriteString(head[len(mark):] + h.End)
	channel, to := "", ""
	if _, after, ok := strings.Cut(head, h.Channel); ok {
		channel = firstWord(after)
	}
	if _, after, ok := strings.Cut(head, h.To); ok {
		to = strings.TrimPrefix(firstWord(after), h.Trim)
	}
	p.state = (*Parser).scan
	if to == "" || to == "assistant" {
		p.turn(h.Channels[channel])
		p.space, p.started, p.trim = "", false, true
		return true
	}
	p.calls = &Calls{}
	p.start(to, "")
	p.state = (*Parser).message
	return true
}

func firstWord(s string) string {
	if i := strings.IndexAny(s, " \n\t<"); i >= 0 {
		return s[:i]
	}
	return s
}

// message reads the body of a call of the harmony format: JSON as it comes, anything else as one string.
func (p *Parser) message() bool {
	if !p.skipSpace() {
		return false
	}
	if p.buf != "" && p.buf[0] == '{' {
		p.state = p.arguments((*Parser).messageEnd)
		return true
	}
	i, n := p.bodyEnd()
	if i < 0 && !p.eof {
		return len(p.buf) > maxPending && p.malformed()
	}
	if i < 0 {
		i = len(p.buf)
	}
	p.add(json.Quote(strings.TrimRight(p.take(i), " \n\r\t")))
	p.consume(n)
	p.finish()
	return p.leave()
}

func (p *Parser) messageEnd() bool {
	i, n := p.bodyEnd()
	if i < 0 && !p.eof {
		return len(p.buf) > maxPending && p.malformed()
	}
	if i < 0 {
		i = len(p.buf)
	}
	p.take(i)
	p.consume(n)
	p.finish()
	p.mode = Text
	return p.leave()
}

// bodyEnd is where the first mark that ends a message stands, and its length.
func (p *Parser) bodyEnd() (at, n int) {
	at = -1
	for _, m := range p.format.Head.Body {
		if i := strings.Index(p.buf, m); i >= 0 && (at < 0 || i < at) {
			at, n = i, len(m)
		}
	}
	return at, n
}
