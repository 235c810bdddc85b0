package tokenizer

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
)

// Load reads a packed tokenizer and checks all of it. The data is used in place: it must stay valid and
// unchanged as long as the Tokenizer is used.
func Load(packed []byte) (*Tokenizer, error) {
	sec, err := readSections(packed)
	if err != nil {
		return nil, err
	}
	t := &Tokenizer{}
	if err := t.vocab.load(sec); err != nil {
		return nil, err
	}
	p, err := decodePipeline(sec[secPipeline])
	if err != nil {
		return nil, err
	}
	if err := t.setAdded(p.Added); err != nil {
		return nil, err
	}
	if err := checkGrowth(p.Steps); err != nil {
		return nil, err
	}
	for _, a := range p.Added {
		t.stream.noteAdded(a)
	}
	for _, s := range p.Steps {
		if err := t.addStep(s, sec); err != nil {
			return nil, fmt.Errorf("tokenizer: step %d: %w", s.Kind, err)
		}
		t.stream.note(s)
	}
	return t, t.finish()
}

// checkGrowth bounds how much longer replacements can make a text, since each works on what the one before
// it wrote.
func checkGrowth(steps []Step) error {
	const most = 1 << 12
	growth := map[bool]int{false: 1, true: 1} // of decoding, of encoding
	for _, s := range steps {
		n := 1
		switch {
		case len(s.Strs) < 2:
		case s.Kind == NormReplace || s.Kind == DecodeReplace:
			n = (len(s.Strs[1]) + len(s.Strs[0]) - 1) / max(len(s.Strs[0]), 1)
		case s.Kind == NormPattern:
			n = len(s.Strs[1])
		case s.Kind == NormProgram || s.Kind == DecodeProgram:
			n = len(s.Strs[len(s.Strs)-1]) + 1
		}
		encoding := s.Kind < ModelBPE
		if n > most/growth[encoding] {
			return fmt.Errorf("tokenizer: replacements make a text more than %d times as long", most)
		}
		growth[encoding] *= max(n, 1)
	}
	return nil
}

// ReadPipeline returns everything of a packed tokenizer but its vocabulary and merges.
func ReadPipeline(packed []byte) (*Pipeline, error) {
	sec, err := readSections(packed)
	if err != nil {
		return nil, err
	}
	return decodePipeline(sec[secPipeline])
}

func readSections(b []byte) ([sections + 1][]byte, error) {
	var sec [sections + 1][]byte
	if len(b) < headerSize || string(b[:len(magic)]) != magic {
		return sec, fmt.Errorf("tokenizer: not a packed tokenizer of this version")
	}
	if got, want := crc32.Checksum(b[12:], crc32.MakeTable(crc32.Castagnoli)), u32(b, 2); got != want {
		return sec, fmt.Errorf("tokenizer: checksum %08x, the file says %08x: it is damaged", got, want)
	}
	n := u32(b, 3)
	if n != sections || len(b) < headerSize+12*sections {
		return sec, fmt.Errorf("tokenizer: %d sections, expected %d", n, sections)
	}
	for i := range int(n) {
		e := b[headerSize+12*i:]
		kind, off, size := u32(e, 0), uint64(u32(e, 1)), uint64(u32(e, 2))
		if kind != uint32(i+1) || off+size > uint64(len(b)) {
			return sec, fmt.Errorf("tokenizer: section %d is out of place or leaves the data", i+1)
		}
		sec[kind] = b[off : off+size]
	}
	return sec, nil
}

func (v *vocab) load(sec [sections + 1][]byte) error {
	v.off, v.texts, v.flags, v.hash = sec[secOffsets], sec[secTexts], sec[secFlags], sec[secHash]
	n := len(v.flags)
	if len(v.off) != 4*(n+1) {
		return fmt.Errorf("tokenizer: %d bytes of offsets for %d tokens", len(v.off), n)
	}
	prev := u32(v.off, 0)
	for i := 1; i <= n; i++ {
		next := u32(v.off, i)
		if next < prev || next > uint32(len(v.texts)) {
			return fmt.Errorf("tokenizer: token %d has no valid range of text", i-1)
		}
		v.maxLen = max(v.maxLen, int(next-prev))
		prev = next
	}
	var err error
	if v.mask, err = checkHash(v.hash, n, "vocabulary"); err != nil {
		return err
	}
	return v.loadForms(sec[secForms])
}

// checkHash checks that a table has 2ᵏ slots, that each points at one of n entries and that one is free, so
// that a search ends.
func checkHash(h []byte, n int, what string) (mask uint32, err error) {
	slots := len(h) / 4
	if len(h)%4 != 0 || slots == 0 || slots&(slots-1) != 0 {
		return 0, fmt.Errorf("tokenizer: the %s's table has %d bytes", what, len(h))
	}
	top, free := greatest(h)
	if top > uint32(n) {
		return 0, fmt.Errorf("tokenizer: the %s's table names entry %d of %d", what, top-1, n)
	}
	if !free {
		return 0, fmt.Errorf("tokenizer: the %s's table is full", what)
	}
	return uint32(slots - 1), nil
}

// greatest returns the greatest number of a list of uint32, and whether one is 0.
func greatest(b []byte) (top uint32, zero bool) {
	var m0, m1 uint32
	least := ^uint32(0)
	for ; len(b) >= 8; b = b[8:] {
		v := binary.LittleEndian.Uint64(b)
		lo, hi := uint32(v), uint32(v>>32)
		m0, m1, least = max(m0, lo), max(m1, hi), min(least, lo, hi)
	}
	if len(b) >= 4 {
		v := binary.LittleEndian.Uint32(b)
		m0, least = max(m0, v), min(least, v)
	}
	return max(m0, m1), least == 0
}

func (v *vocab) loadForms(b []byte) error {
	for len(b) > 0 {
		id, n := binary.Uvarint(b)
		if n <= 0 || id >= uint64(v.size()) {
			return fmt.Errorf("tokenizer: decoded form of a token that does not exist")
		}
		size, m := binary.Uvarint(b[n:])
		if m <= 0 || size > uint64(len(b)-n-m) {
			return fmt.Errorf("tokenizer: decoded form of token %d is cut off", id)
		}
		if v.forms == nil {
			v.forms = map[int32]string{}
		}
		v.forms[int32(id)] = string(b[n+m:][:size])
		b = b[n+m+int(size):]
	}
	return nil
}

// addStep appends a step to its stage.
func (t *Tokenizer) addStep(s Step, sec [sections + 1][]byte) error {
	a := &args{Step: s}
	switch {
	case s.Kind < PreByteLevel:
		t.norm = append(t.norm, newNormalizer(a))
	case s.Kind < ModelBPE:
		t.pre = append(t.pre, newPreTokenizer(a))
	case s.Kind < PostTemplate:
		if t.model != nil {
			return fmt.Errorf("a second model")
		}
		t.model = newModel(a, &t.vocab, sec)
	case s.Kind < DecodeByteLevel:
		t.post.add(a, &t.vocab)
	case s.Kind < DefaultTruncation:
		t.decoders = append(t.decoders, newDecoder(a))
		t.tail.add(s)
	default:
		t.addDefault(a)
	}
	return a.finish()
}

func (t *Tokenizer) addDefault(a *args) {
	num := func() int { return int(a.num(0, math.MaxInt32)) }
	switch a.Kind {
	case DefaultTruncation:
		t.truncation = &Truncation{num(), num(), Strategy(a.num(0, int32(OnlySecond))), a.flag()}
	case DefaultPadding:
		t.padding = &Padding{num(), num(), a.num(0, math.MaxInt32), a.num(0, math.MaxInt32), a.flag()}
	default:
		a.fail("no such step")
	}
}

// finish fixes how the stages work together.
func (t *Tokenizer) finish() error {
	if t.model == nil {
		return fmt.Errorf("tokenizer: no model")
	}
	t.post.fill()
	if len(t.pre) > 0 {
		last, ok := t.pre[len(t.pre)-1].(byteLevel)
		bpe, isBPE := t.model.(*bpe)
		if ok && isBPE && bpe.takesBytes() {
			last.raw, t.rawBytes, bpe.raw = true, true, true
			t.pre[len(t.pre)-1] = last
		}
	}
	for _, p := range t.pre {
		if m, ok := p.(metaspace); ok && m.scheme == PrependFirst {
			t.position = true
		}
	}
	return nil
}

// args hands out a step's arguments. The first failure sticks; finish reports it and what is left over.
type args struct {
	Step
	ints, strs int
	err        error
}

func (a *args) fail(format string, v ...any) {
	if a.err == nil {
		a.err = fmt.Errorf(format, v...)
	}
}

func (a *args) num(lo, hi int32) int32 {
	a.ints++
	if a.ints > len(a.Ints) {
		a.fail("argument %d is missing", a.ints)
		return lo
	}
	v := a.Ints[a.ints-1]
	if v < lo || v > hi {
		a.fail("argument %d is %d, outside %d…%d", a.ints, v, lo, hi)
		return lo
	}
	return v
}

func (a *args) flag() bool { return a.num(0, 1) == 1 }

func (a *args) str() string {
	a.strs++
	if a.strs > len(a.Strs) {
		a.fail("text %d is missing", a.strs)
		return ""
	}
	return a.Strs[a.strs-1]
}

func (a *args) finish() error {
	if a.err == nil && (a.ints != len(a.Ints) || a.strs != len(a.Strs)) {
		a.fail("%d numbers and %d texts, expected %d and %d", len(a.Ints), len(a.Strs), a.ints, a.strs)
	}
	return a.err
}
