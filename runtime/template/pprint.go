package template

import (
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/tfgen/tfgen/runtime/template/py"
)

// Pretty is pprint.pformat(v): lines of 80 characters, keys in order.
func (s *State) Pretty(v Value) string {
	p := &printer{s: s}
	p.format(v, 0, 0, 0)
	return p.b.String()
}

const prettyWidth = 80

type printer struct {
	s *State
	b strings.Builder
}

func (p *printer) write(text string) {
	p.s.Alloc(len(text))
	p.b.WriteString(text)
}

func (p *printer) format(v Value, indent, allowance, level int) {
	p.s.Enter()
	defer p.s.Leave()
	rep := p.s.Repr(p.ordered(v))
	if utf8.RuneCountInString(rep) <= prettyWidth-indent-allowance {
		p.write(rep)
		return
	}
	switch v := v.(type) {
	case *py.Dict:
		p.dict(p.ordered(v).(*py.Dict), indent, allowance+1, level+1)
	case *py.List:
		p.items("[", v.Items, "]", indent, allowance, level+1)
	case *py.Tuple:
		end := ")"
		if len(v.Items) == 1 {
			end = ",)"
		}
		p.items("(", v.Items, end, indent, allowance, level+1)
	case string:
		p.text(v, indent, allowance, level+1)
	default:
		p.write(rep)
	}
}

// ordered returns a value whose dictionaries are sorted by their keys.
func (p *printer) ordered(v Value) Value {
	p.s.Enter()
	defer p.s.Leave()
	switch v := v.(type) {
	case *py.List:
		return &py.List{Items: p.orderedAll(v.Items)}
	case *py.Tuple:
		return &py.Tuple{Items: p.orderedAll(v.Items)}
	case *py.Dict:
		rows := p.s.Items(&py.View{Dict: v, Kind: "items"})
		sort.SliceStable(rows, func(i, j int) bool {
			return p.less(rows[i].(*py.Tuple).Items[0], rows[j].(*py.Tuple).Items[0])
		})
		out := new(py.Dict)
		for _, r := range rows {
			pair := r.(*py.Tuple).Items
			out.Set(pair[0], p.ordered(pair[1]))
		}
		return out
	}
	return v
}

func (p *printer) orderedAll(items []Value) []Value {
	out := make([]Value, len(items))
	for i, x := range items {
		out[i] = p.ordered(x)
	}
	return out
}

// less orders keys; those that do not compare go by their types.
func (p *printer) less(a, b Value) bool {
	v, ok := attempt(func() Value { return p.s.Compare("<", a, b) }, "TypeError")
	if !ok {
		return py.TypeName(a) < py.TypeName(b)
	}
	return v == Value(true)
}

func (p *printer) dict(d *py.Dict, indent, allowance, level int) {
	p.write("{")
	indent++
	for i := range d.Len() {
		k, v := d.At(i)
		rep := p.s.Repr(p.ordered(k))
		p.write(rep + ": ")
		last := i == d.Len()-1
		p.format(v, indent+utf8.RuneCountInString(rep)+2, pick(last, allowance, 1), level)
		if !last {
			p.newline(",", indent)
		}
	}
	p.write("}")
}

func pick(cond bool, yes, no int) int {
	if cond {
		return yes
	}
	return no
}

func (p *printer) newline(before string, indent int) {
	p.write(before + "\n" + strings.Repeat(" ", indent))
}

func (p *printer) items(open string, items []Value, end string, indent, allowance, level int) {
	p.write(open)
	indent++
	for i, x := range items {
		if i > 0 {
			p.newline(",", indent)
		}
		p.format(x, indent, pick(i == len(items)-1, allowance+len(end), 1), level)
	}
	p.write(end)
}

// text breaks a long string into several literals.
func (p *printer) text(v string, indent, allowance, level int) {
	if level == 1 {
		indent++
		allowance++
	}
	lines := py.SplitLines(v, true)
	var chunks []string
	for i, line := range lines {
		room := prettyWidth - indent
		last := i == len(lines)-1
		if rep := p.s.Repr(line); utf8.RuneCountInString(rep) <= room-pick(last, allowance, 0) {
			chunks = append(chunks, rep)
		} else {
			chunks = append(chunks, p.words(line, room, pick(last, allowance, 0))...)
		}
	}
	if len(chunks) == 1 {
		p.write(p.s.Repr(lines[len(lines)-1]))
		return
	}
	if level == 1 {
		p.write("(")
	}
	for i, c := range chunks {
		if i > 0 {
			p.newline("", indent)
		}
		p.write(c)
	}
	if level == 1 {
		p.write(")")
	}
}

// words breaks a line after white space, so that literals fit the room; the last one leaves some of it.
func (p *printer) words(line string, room, leave int) (chunks []string) {
	current := ""
	for line != "" {
		n := strings.IndexFunc(line, py.IsSpace)
		if n < 0 {
			n = len(line)
		}
		n += len(line[n:]) - len(strings.TrimLeftFunc(line[n:], py.IsSpace))
		part := line[:n]
		if line = line[n:]; line == "" {
			room -= leave
		}
		if utf8.RuneCountInString(p.s.Repr(current+part)) > room {
			if current != "" {
				chunks = append(chunks, p.s.Repr(current))
			}
			current = part
		} else {
			current += part
		}
	}
	if current != "" {
		chunks = append(chunks, p.s.Repr(current))
	}
	return chunks
}
