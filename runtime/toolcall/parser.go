package toolcall

import (
	"strings"

	"github.com/tfgen/tfgen/runtime/chat"
	"github.com/tfgen/tfgen/runtime/template/py"
)

// Kind is the kind of an event.
type Kind int

// Kinds of events.
const (
	Text      Kind = iota // a piece of the answer
	Reasoning             // a piece of what the model thinks
	Begin                 // a call begins: Name and, if the model gave one, ID
	Arguments             // a piece of its arguments, JSON
	End                   // the call is whole
	Malformed             // what was begun as a call is none: Text is what the model wrote
)

func (k Kind) String() string {
	return [...]string{"text", "reasoning", "begin", "arguments", "end", "malformed"}[k]
}

// Event is one thing that happened in the stream.
type Event struct {
	Kind Kind
	Text string // of Text, Reasoning, Arguments and Malformed
	Call int    // number of the call, from 0
	Name string // of Begin
	ID   string
}

// Options are what a parser may be told.
type Options struct {
	// Reasoning says that the stream begins inside of reasoning: the prompt ended with the mark that begins it.
	Reasoning bool
	// Tools give the types of arguments that a format writes as plain text.
	Tools []chat.Tool
}

// maxPending bounds what is held back of one call, in bytes.
const maxPending = 4 << 20

// Parser reads one answer.
type Parser struct {
	format  *Format
	options Options
	state   func(*Parser) bool // does a step; false if it needs more of the stream
	buf     string             // of the stream, not read yet
	eof     bool
	events  []Event

	mode    Kind   // Text or Reasoning
	space   string // white space that is held back
	started bool   // text of this mode has been emitted
	trim    bool   // white space in front of the next text does not belong to it

	calls *Calls
	raw   strings.Builder // what was read since the calls began
	call  call
	count int // of calls
}

// call is the one that is being read.
type call struct {
	begun    bool
	name, id string
	args     strings.Builder
}

// New returns a parser for the answer of a model.
func New(f *Format, o Options) *Parser {
	p := &Parser{format: f, options: o, state: (*Parser).scan}
	if f.Bare != nil {
		p.state = (*Parser).bare
	}
	if f.Head != nil {
		p.state = (*Parser).opening
	}
	if o.Reasoning {
		p.mode, p.trim, p.state = Reasoning, true, (*Parser).scan
	}
	return p
}

// Feed reads a further piece of the stream and returns what happened in it.
func (p *Parser) Feed(text string) []Event {
	p.buf += text
	return p.run()
}

// Close ends the stream and returns what that leads to.
func (p *Parser) Close() []Event {
	p.eof = true
	return p.run()
}

func (p *Parser) run() []Event {
	for p.state(p) {
	}
	events := p.events
	p.events = nil
	return events
}

// emit adds an event; pieces of the same text are joined.
func (p *Parser) emit(e Event) {
	if n := len(p.events) - 1; n >= 0 && e.Kind == p.events[n].Kind && e.Call == p.events[n].Call && (e.Kind == Text || e.Kind == Reasoning || e.Kind == Arguments) {
		p.events[n].Text += e.Text
		return
	}
	p.events = append(p.events, e)
}

// text emits text of the current mode. White space at its ends is held back: it belongs to the marks there.
func (p *Parser) text(s string) {
	if p.trim && !p.started {
		s = strings.TrimLeft(p.space+s, " \n\r\t")
		p.space = ""
	}
	s = p.space + s
	body := strings.TrimRight(s, " \n\r\t")
	p.space = s[len(body):]
	if body != "" {
		p.started = true
		p.emit(Event{Kind: p.mode, Text: body})
	}
}

// turn switches to another mode.
func (p *Parser) turn(to Kind) {
	if p.mode == to {
		return
	}
	p.mode, p.space, p.started, p.trim = to, "", false, true
}

// consume takes n bytes off the stream.
func (p *Parser) consume(n int) string {
	s := p.buf[:n]
	p.buf = p.buf[n:]
	return s
}

// candidates are the marks that count in the current mode.
func (p *Parser) candidates() (list []Mark) {
	for _, m := range p.format.Marks {
		if p.mode == Text || m.To == Text && m.Calls == nil {
			list = append(list, m)
		}
	}
	for _, s := range p.format.Skip {
		list = append(list, Mark{Text: s, To: -1})
	}
	if h := p.format.Head; h != nil {
		for _, s := range append(append([]string{}, h.Begin...), h.Body...) {
			list = append(list, Mark{Text: s, To: -2})
		}
	}
	return list
}

// scan reads text or reasoning up to the next mark.
func (p *Parser) scan() bool {
	if p.buf == "" {
		if p.eof && p.space != "" {
			if p.started || !p.trim {
				p.emit(Event{Kind: p.mode, Text: p.space})
			}
			p.space = ""
		}
		return false
	}
	marks := p.candidates()
	at, best, partial := len(p.buf), Mark{}, len(p.buf)
	for _, m := range marks {
		if i := strings.Index(p.buf, m.Text); i >= 0 && (i < at || i == at && len(m.Text) > len(best.Text)) {
			at, best = i, m
		}
		partial = min(partial, len(p.buf)-overlap(p.buf, m.Text))
	}
	if p.eof {
		partial = len(p.buf)
	}
	if best.Text == "" || partial < at || partial == at && p.longer(marks, at, best) {
		if partial > 0 {
			p.text(p.consume(partial))
		}
		return p.eof && p.buf == ""
	}
	if at > 0 {
		p.text(p.consume(at))
	}
	p.consume(len(best.Text))
	p.mark(best)
	return true
}

// longer reports whether a longer mark than best may begin at a byte where best stands.
func (p *Parser) longer(marks []Mark, at int, best Mark) bool {
	for _, m := range marks {
		if len(m.Text) > len(p.buf)-at && strings.HasPrefix(m.Text, p.buf[at:]) {
			return true
		}
	}
	return false
}

// overlap is the length of the longest end of s that begins mark, shorter than mark.
func overlap(s, mark string) int {
	for n := min(len(s), len(mark)-1); n > 0; n-- {
		if strings.HasSuffix(s, mark[:n]) {
			return n
		}
	}
	return 0
}

func (p *Parser) mark(m Mark) {
	switch {
	case m.Calls != nil:
		p.space = ""
		p.raw.Reset()
		p.raw.WriteString(m.Text)
		p.begin(m.Calls)
	case m.To == -2:
		p.header(m.Text)
	case m.To >= 0:
		p.turn(m.To)
	}
}

// begin starts to read calls.
func (p *Parser) begin(c *Calls) {
	p.calls, p.call = c, call{}
	p.state = (*Parser).dispatch
}

// take takes n bytes of calls.
func (p *Parser) take(n int) string {
	s := p.consume(n)
	p.raw.WriteString(s)
	return s
}

// skipSpace takes white space and reports whether something follows, or the stream has ended.
func (p *Parser) skipSpace() bool {
	p.take(len(p.buf) - len(strings.TrimLeft(p.buf, " \n\r\t")))
	return p.buf != "" || p.eof
}

// has reports whether the stream goes on with a text; sure is false if more of it is needed to tell.
func (p *Parser) has(text string) (has, sure bool) {
	if strings.HasPrefix(p.buf, text) {
		return true, true
	}
	return false, p.eof || !strings.HasPrefix(text, p.buf)
}

// until takes the stream up to a text, and the text. ok is false if it did not come yet.
func (p *Parser) until(text string) (s string, ok bool) {
	i := strings.Index(p.buf, text)
	if i < 0 {
		return "", false
	}
	s = p.take(i)
	p.take(len(text))
	return s, true
}

// waiting is false, after giving up if the stream has ended or the call is too long.
func (p *Parser) waiting() bool {
	if p.eof || len(p.buf) > maxPending {
		return p.malformed()
	}
	return false
}

// dispatch looks which grammar the calls are in, between calls.
func (p *Parser) dispatch() bool {
	if !p.skipSpace() {
		return false
	}
	c := p.calls
	if c.End != "" {
		if has, sure := p.has(c.End); !sure {
			return false
		} else if has {
			p.consume(len(c.End))
			return p.leave()
		}
	}
	if p.buf == "" {
		return p.leave()
	}
	first := p.buf[0]
	switch {
	case c.JSON != nil && (first == '{' || first == '[' && !c.Python || c.Fields == nil && !c.Python):
		p.state = (*Parser).values
	case c.Fields != nil:
		p.state = (*Parser).fields
	case c.Tags != nil:
		p.state = (*Parser).tagOpen
	default:
		p.state = (*Parser).whole
	}
	return true
}

// leave goes back to text behind calls.
func (p *Parser) leave() bool {
	p.calls = nil
	p.state = (*Parser).scan
	p.space, p.started, p.trim = "", false, true
	return true
}

// start emits the beginning of the call.
func (p *Parser) start(name, id string) {
	p.call = call{begun: true, name: name, id: id}
	p.emit(Event{Kind: Begin, Call: p.count, Name: name, ID: id})
}

// add emits a piece of the call's arguments.
func (p *Parser) add(json string) {
	if json != "" {
		p.call.args.WriteString(json)
		p.emit(Event{Kind: Arguments, Call: p.count, Text: json})
	}
}

// finish emits the end of the call. Arguments that are no JSON make it malformed.
func (p *Parser) finish() {
	if _, err := py.Decode([]byte(p.call.args.String())); err != nil {
		p.emit(Event{Kind: Malformed, Call: p.count, Text: p.raw.String()})
	} else {
		p.emit(Event{Kind: End, Call: p.count})
	}
	p.count++
	p.call = call{}
	p.raw.Reset()
}

// malformed gives the call up: what was read is text, up to the end of the calls.
func (p *Parser) malformed() bool {
	if p.calls.End != "" && !p.eof {
		if i := strings.Index(p.buf, p.calls.End); i >= 0 {
			p.take(i)
			p.consume(len(p.calls.End))
		} else {
			p.state = (*Parser).skipToEnd
			return true
		}
	} else if p.eof {
		p.take(len(p.buf))
	}
	p.giveUp()
	return p.leave()
}

// skipToEnd reads what is left of calls that are none.
func (p *Parser) skipToEnd() bool {
	if strings.Contains(p.buf, p.calls.End) || p.eof {
		return p.malformed()
	}
	p.take(len(p.buf) - overlap(p.buf, p.calls.End))
	return false
}

func (p *Parser) giveUp() {
	if raw := p.raw.String(); p.call.begun || strings.TrimSpace(raw) != "" {
		p.emit(Event{Kind: Malformed, Call: p.count, Text: raw})
		if p.call.begun {
			p.count++
		}
	}
	p.raw.Reset()
	p.call = call{}
}

// bare looks whether the answer begins with a call.
func (p *Parser) bare() bool {
	trimmed := strings.TrimLeft(p.buf, " \n\r\t")
	if trimmed == "" && !p.eof {
		return false
	}
	for _, s := range p.format.Skip {
		if strings.HasPrefix(trimmed, s) {
			p.buf = trimmed[len(s):]
			return true
		}
		if trimmed != "" && !p.eof && strings.HasPrefix(s, trimmed) {
			return false
		}
	}
	p.state = (*Parser).scan
	if trimmed != "" && (trimmed[0] == '{' || trimmed[0] == '[' && p.format.Bare.Python) {
		p.raw.Reset()
		p.begin(p.format.Bare)
	}
	return true
}
