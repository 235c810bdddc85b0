package tokenizer

import (
	"math"
	"unicode/utf8"
)

// model turns a piece of text into tokens: it emits them to the state.
type model interface {
	encode(s *state, b []byte)
}

func newModel(a *args, v *vocab, sec [sections + 1][]byte) model {
	switch a.Kind {
	case ModelBPE:
		return newBPE(a, v, sec)
	case ModelWordPiece:
		return &wordPiece{vocab: v, unknown: a.token(v), longest: int(a.num(0, math.MaxInt32)), prefix: a.str()}
	case ModelUnigram:
		return newUnigram(a, v, sec)
	case ModelWordLevel:
		return &wordLevel{vocab: v, unknown: a.token(v)}
	}
	a.fail("no such model")
	return nil
}

// token reads an id of the vocabulary, −1 for none.
func (a *args) token(v *vocab) int32 { return a.num(-1, int32(v.size())-1) }

// bpe is byte-pair encoding by merge ranks (Sennrich et al. 2016), over characters or bytes.
type bpe struct {
	vocab   *vocab
	merges  []byte // uint32 × 3 by rank
	table   []byte // uint32 × 2ᵏ: rank + 1
	mask    uint32
	flags   int32
	unknown int32
	prefix  string
	suffix  string
	raw     bool       // the input is bytes that stand for GPT-2's characters
	bytes   [256]int32 // raw: the token of a byte; else of its <0x..> fallback; −1 for none
	ascii   [128]int32 // the token of an ASCII character, −1 for none
	words   *wordCache
}

// symbol is a token on its way through the merges; the symbols of a piece form a list.
type symbol struct {
	id, prev, next int32
	size           int32 // bytes; 0 for one that was merged into the one before it
}

func newBPE(a *args, v *vocab, sec [sections + 1][]byte) model {
	m := &bpe{vocab: v, merges: sec[secMerges], table: sec[secMergeHash], flags: a.num(0, 15), unknown: a.token(v), prefix: a.str(), suffix: a.str()}
	if len(m.merges)%12 != 0 {
		a.fail("%d bytes of merges", len(m.merges))
		return m
	}
	var err error
	if m.mask, err = checkHash(m.table, len(m.merges)/12, "merges"); err != nil {
		a.fail("%w", err)
		return m
	}
	if top, _ := greatest(m.merges); len(m.merges) > 0 && top >= uint32(v.size()) {
		a.fail("a merge names token %d of %d", top, v.size())
		return m
	}
	for c := range m.ascii {
		m.ascii[c] = v.find([]byte{byte(c)}, flagModel)
	}
	m.bytes = byteTokens(v)
	m.words = new(wordCache)
	return m
}

// takesBytes reports whether the model can work on bytes in place of GPT-2's characters, and prepares it.
func (m *bpe) takesBytes() bool {
	if m.prefix != "" || m.suffix != "" || m.flags&BPEByteFallback != 0 {
		return false
	}
	var t [256]int32
	for c := range t {
		t[c] = m.vocab.find([]byte(string(byteChars[c])), flagModel)
		if t[c] < 0 {
			return false
		}
	}
	m.bytes = t
	return true
}

// merge returns what a pair is merged to, and where that stands in the order of merges, −1 if it is not merged.
func (m *bpe) merge(a, b int32) (order, result int32) {
	for i := hashPair(a, b); ; i++ {
		slot := u32(m.table, int(i&m.mask))
		if slot == 0 {
			return -1, -1
		}
		rank := int(slot - 1)
		if int32(u32(m.merges, 3*rank)) == a && int32(u32(m.merges, 3*rank+1)) == b {
			result = int32(u32(m.merges, 3*rank+2))
			if m.flags&BPEByResult != 0 {
				return result, result
			}
			return int32(rank), result
		}
	}
}

func (m *bpe) encode(s *state, b []byte) {
	if !s.track {
		if ids, ok := m.words.get(b); ok {
			s.ids = append(s.ids, ids...)
			return
		}
	}
	first := len(s.ids)
	m.split(s, b)
	if !s.track {
		m.words.put(b, s.ids[first:])
	}
}

// split is encode without the cache.
func (m *bpe) split(s *state, b []byte) {
	if m.flags&BPEIgnoreMerges != 0 {
		if id := m.vocab.find(m.spelled(s, b), flagModel); id >= 0 {
			s.emit(id, 0, len(b))
			return
		}
	}
	s.symbols = s.symbols[:0]
	if m.raw {
		for _, c := range b {
			s.push(m.bytes[c], 1)
		}
	} else {
		m.characters(s, b)
	}
	if len(s.symbols) < 24 {
		m.mergeShort(s)
	} else {
		m.mergeLong(s)
	}
	at := 0
	for _, y := range s.symbols {
		if y.size != 0 {
			s.emit(y.id, at, at+int(y.size))
			at += int(y.size)
		}
	}
}

// spelled returns the piece as the vocabulary writes it.
func (m *bpe) spelled(s *state, b []byte) []byte {
	if !m.raw {
		return b
	}
	s.key = s.key[:0]
	for _, c := range b {
		s.key = utf8.AppendRune(s.key, byteChars[c])
	}
	return s.key
}

func (s *state) push(id, size int32) {
	n := int32(len(s.symbols))
	s.symbols = append(s.symbols, symbol{id: id, prev: n - 1, next: n + 1, size: size})
}

// characters makes a symbol of each character, of each of its bytes, or the unknown token. A character that
// has none of these leaves nothing.
func (m *bpe) characters(s *state, b []byte) {
	unknown := int32(0) // bytes of unknown characters not yet pushed
	for i := 0; i < len(b); {
		_, n := utf8.DecodeRune(b[i:])
		id := m.character(s, b, i, n)
		if id >= 0 {
			if unknown > 0 {
				s.push(m.unknown, unknown)
				unknown = 0
			}
			s.push(id, int32(n))
		} else if !m.bytesOf(s) && m.unknown >= 0 {
			if unknown > 0 && m.flags&BPEFuseUnknown == 0 {
				s.push(m.unknown, unknown)
				unknown = 0
			}
			unknown += int32(n)
		}
		i += n
	}
	if unknown > 0 {
		s.push(m.unknown, unknown)
	}
}

// character returns the token of b[i:i+n] with the prefix or suffix that its place asks for. Its text is left
// in the state's key.
func (m *bpe) character(s *state, b []byte, i, n int) int32 {
	if n == 1 && m.prefix == "" && m.suffix == "" && b[i] < utf8.RuneSelf && m.ascii[b[i]] >= 0 {
		return m.ascii[b[i]]
	}
	s.key = s.key[:0]
	if i > 0 {
		s.key = append(s.key, m.prefix...)
	}
	s.key = append(s.key, b[i:i+n]...)
	if i+n == len(b) {
		s.key = append(s.key, m.suffix...)
	}
	return m.vocab.find(s.key, flagModel)
}

// bytesOf pushes the byte tokens of the state's key if the model has all of them.
func (m *bpe) bytesOf(s *state) bool {
	if m.flags&BPEByteFallback == 0 {
		return false
	}
	for _, c := range s.key {
		if m.bytes[c] < 0 {
			return false
		}
	}
	for _, c := range s.key {
		s.push(m.bytes[c], 1)
	}
	return true
}

// mergeShort merges the pair that comes first, the leftmost among equals, until there is none.
func (m *bpe) mergeShort(s *state) {
	y := s.symbols
	var orders, results [24]int32
	for i := 0; i+1 < len(y); i++ {
		orders[i], results[i] = m.merge(y[i].id, y[i+1].id)
	}
	for len(y) > 1 {
		best, at := int32(math.MaxInt32), -1
		for i, r := range orders[:len(y)-1] {
			if r >= 0 && r < best {
				best, at = r, i
			}
		}
		if at < 0 {
			break
		}
		y[at].id = results[at]
		y[at].size += y[at+1].size
		copy(y[at+1:], y[at+2:])
		copy(orders[at:], orders[at+1:len(y)-1])
		copy(results[at:], results[at+1:len(y)-1])
		y = y[:len(y)-1]
		if at > 0 {
			orders[at-1], results[at-1] = m.merge(y[at-1].id, y[at].id)
		}
		if at+1 < len(y) {
			orders[at], results[at] = m.merge(y[at].id, y[at+1].id)
		}
	}
	s.symbols = y
}

// mergeLong does the same with a heap of (order, place) in O(n log n).
func (m *bpe) mergeLong(s *state) {
	y := s.symbols
	s.heap = s.heap[:0]
	for i := 0; i+1 < len(y); i++ {
		if r, _ := m.merge(y[i].id, y[i+1].id); r >= 0 {
			s.heap = append(s.heap, uint64(r)<<32|uint64(i))
		}
	}
	heapify(s.heap)
	for len(s.heap) > 0 {
		top := pop(&s.heap)
		at := int32(uint32(top))
		next := y[at].next
		if y[at].size == 0 || int(next) >= len(y) {
			continue // merged since
		}
		order, result := m.merge(y[at].id, y[next].id)
		if order != int32(top>>32) {
			continue // one of the two was merged since
		}
		y[at].id = result
		y[at].size += y[next].size
		y[next].size = 0
		y[at].next = y[next].next
		if after := y[at].next; int(after) < len(y) {
			y[after].prev = at
		}
		m.queue(s, at, y[at].next)
		m.queue(s, y[at].prev, at)
	}
}

// queue notes a pair of symbols that can be merged.
func (m *bpe) queue(s *state, left, right int32) {
	if left < 0 || int(right) >= len(s.symbols) {
		return
	}
	if r, _ := m.merge(s.symbols[left].id, s.symbols[right].id); r >= 0 {
		pushHeap(&s.heap, uint64(r)<<32|uint64(left))
	}
}
