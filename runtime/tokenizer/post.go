package tokenizer

import (
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// slot is an element of a template: a token, or the first or second text.
type slot struct{ what, typeID int32 }

const firstText, secondText = -1, -2

// template says how texts and special tokens follow each other.
type template []slot

// processor is a post-processor: it works on one encoding for each text, and may return one for each part of the
// result.
type processor interface {
	process(list []*Encoding, special bool) ([]*Encoding, error)
	added(pair bool) int // tokens that it adds
}

// postProcessor is the list of post-processors. Where at most one of them adds tokens, and last, single is all that
// counts for the ids of one text.
type postProcessor struct {
	list   []processor
	single template
	simple bool
	trim   bool // some of them take white space out of offsets
}

func (p *postProcessor) add(a *args, v *vocab) {
	switch a.Kind {
	case PostTrim:
		p.list = append(p.list, &trimmer{trim: a.flag(), prefixSpace: a.flag()})
	case PostTemplate:
		p.list = append(p.list, &templates{single: readTemplate(a, v)})
	case PostPair:
		t, ok := p.last().(*templates)
		if !ok {
			a.fail("a template for two texts without one for one")
			return
		}
		t.pair = readTemplate(a, v)
	case PostBert:
		p.list = append(p.list, &bert{a.token(v), a.token(v)})
	case PostRoberta:
		p.list = append(p.list, &roberta{bert{a.token(v), a.token(v)}, trimmer{trim: a.flag(), prefixSpace: a.flag()}})
	default:
		a.fail("no such post-processor")
	}
}

func (p *postProcessor) last() processor {
	if len(p.list) == 0 {
		return nil
	}
	return p.list[len(p.list)-1]
}

func readTemplate(a *args, v *vocab) template {
	t := template{}
	for i := 0; i < len(a.Ints); i += 2 {
		t = append(t, slot{a.num(secondText, int32(v.size())-1), a.num(0, math.MaxInt32)})
	}
	return t
}

// fill derives the template of simple lists.
func (p *postProcessor) fill() {
	p.single, p.simple = template{{firstText, 0}}, true
	for i, e := range p.list {
		last := i == len(p.list)-1
		switch e := e.(type) {
		case *trimmer:
			p.trim = p.trim || e.trim
		case *templates:
			p.single = e.single
			p.simple = p.simple && last && !slices.ContainsFunc(e.single, func(s slot) bool { return s.what == secondText })
		case *bert:
			p.single = e.template()
			p.simple = p.simple && last
		case *roberta:
			p.single = e.template()
			p.simple = p.simple && last
			p.trim = p.trim || e.trim
		}
	}
}

func (p *postProcessor) added(pair bool) (n int) {
	for _, e := range p.list {
		n += e.added(pair)
	}
	return n
}

// process joins the encodings of one or two texts.
func (p *postProcessor) process(list []*Encoding, special bool) (*Encoding, error) {
	if len(p.list) == 0 && len(list) == 1 {
		return list[0], nil
	}
	for i, e := range list {
		e.setSequence(i)
		if len(p.list) > 0 {
			e.setTypes(int32(i))
			for _, w := range e.Overflow {
				w.setSequence(i)
			}
		}
	}
	for _, e := range p.list {
		var err error
		if list, err = e.process(list, special); err != nil {
			return nil, err
		}
	}
	out := &Encoding{}
	for _, e := range list {
		out.append(e)
	}
	return out, nil
}

// templates puts texts and tokens in order.
type templates struct{ single, pair template }

func (p *templates) added(pair bool) (n int) {
	t := p.single
	if pair {
		t = p.pair
	}
	for _, s := range t {
		if s.what >= 0 {
			n++
		}
	}
	return n
}

func (p *templates) process(list []*Encoding, special bool) ([]*Encoding, error) {
	t := p.single
	switch len(list) {
	case 1:
	case 2:
		t = p.pair
	default:
		return nil, fmt.Errorf("tokenizer: a template for %d texts, which another post-processor made", len(list))
	}
	var out []*Encoding
	for _, s := range t {
		if s.what >= 0 {
			if special {
				out = append(out, added(s.what, s.typeID, 1))
			}
			continue
		}
		i := int(firstText - s.what)
		if i >= len(list) {
			return nil, fmt.Errorf("tokenizer: the template for one text asks for a second")
		}
		list[i].setTypes(s.typeID)
		list[i].setSequence(i)
		out = append(out, list[i].clone())
	}
	return out, nil
}

// bert puts [CLS] before the first text and [SEP] behind each.
type bert struct{ cls, sep int32 }

func (p *bert) template() template { return template{{p.cls, 0}, {firstText, 0}, {p.sep, 0}} }

func (p *bert) added(pair bool) int {
	if pair {
		return 3
	}
	return 2
}

func (p *bert) process(list []*Encoding, special bool) ([]*Encoding, error) {
	return p.surround(list, special, 1, false), nil
}

// surround adds the tokens to each encoding and its windows. second is the type of the tokens about further texts;
// twice puts one before these as well.
func (p *bert) surround(list []*Encoding, special bool, second int32, twice bool) []*Encoding {
	if !special {
		return list
	}
	out := make([]*Encoding, len(list))
	for i, e := range list {
		before, after := added(p.cls, 0, 1), added(p.sep, 0, 1)
		if i > 0 {
			before, after = nil, added(p.sep, second, 1)
			if twice {
				before = after
			}
		}
		out[i] = e.between(before, after, min(i, 1))
		for _, w := range e.Overflow {
			out[i].Overflow = append(out[i].Overflow, w.between(before, after, min(i, 1)))
		}
	}
	return out
}

// between returns an encoding of one text with tokens before and behind it, of which before may be nil.
func (e *Encoding) between(before, after *Encoding, sequence int) *Encoding {
	out := &Encoding{}
	if before != nil {
		out.extend(before)
	}
	lo := len(out.IDs)
	out.extend(e)
	out.ranges = map[int][2]int{sequence: {lo, len(out.IDs)}}
	out.extend(after)
	for i := lo; i < len(out.IDs)-1; i++ {
		out.Special[i], out.Mask[i] = 0, 1
	}
	return out
}

// roberta is bert with two [SEP] between texts, type 0 throughout, and offsets without white space.
type roberta struct {
	bert
	trimmer
}

func (p *roberta) added(pair bool) int {
	if pair {
		return 4
	}
	return 2
}

func (p *roberta) process(list []*Encoding, special bool) ([]*Encoding, error) {
	p.apply(list)
	for _, e := range list {
		e.setTypes(0)
		if special {
			for _, w := range e.Overflow {
				w.setTypes(0)
			}
		}
	}
	return p.surround(list, special, 0, true), nil
}

// trimmer is the ByteLevel post-processor: it takes white space out of offsets.
type trimmer struct{ trim, prefixSpace bool }

func (p *trimmer) added(bool) int { return 0 }

func (p *trimmer) process(list []*Encoding, _ bool) ([]*Encoding, error) {
	p.apply(list)
	for i, e := range list {
		e.setSequence(i)
	}
	return list, nil
}

func (p *trimmer) apply(list []*Encoding) {
	if !p.trim {
		return
	}
	for _, e := range list {
		e.trim(p.prefixSpace)
		for _, w := range e.Overflow {
			w.trim(p.prefixSpace)
		}
	}
}

func (e *Encoding) trim(prefixSpace bool) {
	for i, n := range e.spaces {
		trimOffset(&e.Offsets[i], e.texts[i], i == 0, prefixSpace, n)
	}
}

// appendIDs appends the ids of one text in its place.
func (t template) appendIDs(dst []int32, special bool, text []int32) []int32 {
	for _, s := range t {
		if s.what == firstText {
			dst = append(dst, text...)
		} else if special {
			dst = append(dst, s.what)
		}
	}
	return dst
}

// trimOffset takes the white space at the ends of a token out of its offsets.
func trimOffset(o *[2]int, in string, first, prefixSpace bool, spaces [2]int32) {
	lead, trail := spaces[0], spaces[1]
	if lead == 1 && prefixSpace && (first || o[0] == 0) {
		lead = 0 // the space was put there before the text
	}
	for ; lead > 0 && o[0] < o[1]; lead-- {
		_, n := utf8.DecodeRuneInString(in[o[0]:])
		o[0] += n
	}
	for ; trail > 0 && o[1] > o[0]; trail-- {
		_, n := utf8.DecodeLastRuneInString(in[:o[1]])
		o[1] -= n
	}
}

// countSpaces counts the white space at one end of a token, GPT-2's sign for a space included.
func countSpaces(b []byte, end bool) int32 {
	for n := int32(0); ; n++ {
		r, size := utf8.DecodeRune(b)
		if end {
			r, size = utf8.DecodeLastRune(b)
		}
		if size == 0 || r != 'Ġ' && !isSpace(r) {
			return n
		}
		if end {
			b = b[:len(b)-size]
		} else {
			b = b[size:]
		}
	}
}
