package tokenizer

import (
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"
)

// Encoding is what a text, or a pair of texts, is encoded to. All lists have an element for each token.
type Encoding struct {
	IDs      []int32
	TypeIDs  []int32  // which text of a pair, as the post-processor counts
	Mask     []int32  // 1 for tokens, 0 for padding
	Special  []int32  // 1 for tokens that the post-processor or padding added
	Offsets  [][2]int // range of the text, or of the word, in bytes or characters; [0, 0] for added tokens
	Words    []int32  // number of the word or piece of its text that the token belongs to, −1 for added tokens
	Overflow []*Encoding

	texts  []string       // what Offsets count in
	spaces [][2]int32     // white space at both ends of the tokens' texts, if a post-processor asks
	ranges map[int][2]int // tokens of each sequence
}

// Len returns the number of tokens.
func (e *Encoding) Len() int { return len(e.IDs) }

// Sequences returns for each token 0 or 1 for the text it comes from, −1 for an added token.
func (e *Encoding) Sequences() []int32 {
	out := slices.Repeat([]int32{-1}, len(e.IDs))
	for id := range max(len(e.ranges), 1) {
		r, ok := e.ranges[id]
		if !ok {
			r = [2]int{0, len(e.IDs)}
		}
		for i := r[0]; i < r[1]; i++ {
			out[i] = int32(id)
		}
	}
	return out
}

// setSequence says that all tokens come from one text.
func (e *Encoding) setSequence(id int) {
	if e.ranges == nil {
		e.ranges = map[int][2]int{}
	}
	e.ranges[id] = [2]int{0, len(e.IDs)}
}

func (e *Encoding) setTypes(id int32) { e.TypeIDs = slices.Repeat([]int32{id}, len(e.IDs)) }

// clone copies the encoding, but shares the windows in Overflow, which nobody changes after.
func (e *Encoding) clone() *Encoding {
	return &Encoding{
		slices.Clone(e.IDs), slices.Clone(e.TypeIDs), slices.Clone(e.Mask), slices.Clone(e.Special), slices.Clone(e.Offsets),
		slices.Clone(e.Words), slices.Clone(e.Overflow), slices.Clone(e.texts), slices.Clone(e.spaces), maps.Clone(e.ranges),
	}
}

// slice returns a part without its sequences and windows.
func (e *Encoding) slice(lo, hi int) *Encoding {
	part := &Encoding{
		IDs: slices.Clone(e.IDs[lo:hi]), TypeIDs: slices.Clone(e.TypeIDs[lo:hi]), Mask: slices.Clone(e.Mask[lo:hi]), Special: slices.Clone(e.Special[lo:hi]),
		Offsets: slices.Clone(e.Offsets[lo:hi]), Words: slices.Clone(e.Words[lo:hi]), texts: slices.Clone(e.texts[lo:hi]),
	}
	if e.spaces != nil {
		part.spaces = slices.Clone(e.spaces[lo:hi])
	}
	return part
}

// append appends another encoding. Its windows and those of e are combined, each with each.
func (e *Encoding) append(o *Encoding) {
	var windows []*Encoding
	for _, w := range e.Overflow {
		n := w.clone()
		n.append(o)
		windows = append(windows, n)
		for _, v := range o.Overflow {
			n := w.clone()
			n.append(v)
			windows = append(windows, n)
		}
	}
	for _, v := range o.Overflow {
		n := e.clone()
		n.append(v)
		windows = append(windows, n)
	}
	e.extend(o)
	e.Overflow = windows
}

// extend appends the tokens of another encoding.
func (e *Encoding) extend(o *Encoding) {
	at := len(e.IDs)
	for id, r := range o.ranges {
		if e.ranges == nil {
			e.ranges = map[int][2]int{}
		}
		e.ranges[id] = [2]int{at + r[0], at + r[1]}
	}
	e.IDs = append(e.IDs, o.IDs...)
	e.TypeIDs = append(e.TypeIDs, o.TypeIDs...)
	e.Mask = append(e.Mask, o.Mask...)
	e.Special = append(e.Special, o.Special...)
	e.Offsets = append(e.Offsets, o.Offsets...)
	e.Words = append(e.Words, o.Words...)
	e.texts = append(e.texts, o.texts...)
	e.spaces = append(e.spaces, o.spaces...)
}

// added is an encoding of one token that is not from the text.
func added(id, typeID, mask int32) *Encoding {
	return &Encoding{IDs: []int32{id}, TypeIDs: []int32{typeID}, Mask: []int32{mask}, Special: []int32{1}, Offsets: [][2]int{{}}, Words: []int32{-1}, texts: []string{""}, spaces: [][2]int32{{}}}
}

// maxWindows bounds the windows of an encoding, since those of a pair are combined.
const maxWindows = 1 << 16

// truncate keeps the first or last max tokens and makes windows of the rest, each with stride tokens of the one
// before it.
func (e *Encoding) truncate(most, stride int, left bool) error {
	n := len(e.IDs)
	if most >= n {
		return nil
	}
	if most == 0 {
		whole := *e
		*e = Encoding{Overflow: []*Encoding{&whole}}
		return nil
	}
	if stride >= most {
		return fmt.Errorf("tokenizer: the stride %d leaves nothing of the %d tokens that a text may have", stride, most)
	}
	var parts []*Encoding
	for at := 0; at < n; at += most - stride {
		lo, hi := at, min(at+most, n)
		if left {
			lo, hi = max(n-at-most, 0), n-at
		}
		parts = append(parts, e.slice(lo, hi))
		if hi-lo == n || left && lo == 0 || !left && hi == n {
			break
		}
	}
	*e = *parts[0]
	e.Overflow = parts[1:]
	return nil
}

// pad fills up to a length.
func (e *Encoding) pad(n int, p *Padding) {
	for i, w := range e.Overflow {
		w = w.clone()
		w.pad(n, p)
		e.Overflow[i] = w
	}
	missing := n - len(e.IDs)
	if missing <= 0 {
		return
	}
	fill := &Encoding{}
	one := added(p.ID, p.TypeID, 0)
	for range missing {
		fill.extend(one)
	}
	if p.Left {
		windows := e.Overflow
		fill.extend(e)
		*e = *fill
		e.Overflow = windows
		return
	}
	e.extend(fill)
}

// countRunes turns offsets in bytes into offsets in characters.
func (e *Encoding) countRunes() {
	var index []int
	text := ""
	for i, t := range e.texts {
		if t != text {
			text, index = t, runeIndex(t)
		}
		if t != "" {
			e.Offsets[i] = [2]int{index[e.Offsets[i][0]], index[e.Offsets[i][1]]}
		}
	}
	for _, w := range e.Overflow {
		w.countRunes()
	}
}

// runeIndex returns for each byte of a text how many characters begin before it.
func runeIndex(s string) []int {
	out := make([]int, 0, len(s)+1)
	for i, n := 0, 0; i < len(s); n++ {
		_, size := utf8.DecodeRuneInString(s[i:])
		for range size {
			out = append(out, n)
		}
		i += size
	}
	return append(out, utf8.RuneCountInString(s))
}
