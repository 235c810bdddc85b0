package tokenizer

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"
)

// unigram is the segmentation of greatest probability under a unigram language model (Kudo 2018), found by the
// Viterbi algorithm.
type unigram struct {
	vocab    *vocab
	trie     trie
	scores   []byte // float64 × ids
	unknown  int32
	penalty  float64 // score of an unknown character
	fallback bool
	single   bool       // sums have single precision
	bytes    [256]int32 // tokens of <0x..>, −1 for none
	words    *wordCache
}

// pathNode is the best way to a place in a piece: where its last token begins, and which it is.
type pathNode struct {
	score float64
	start int32 // −1 for no way
	id    int32
}

func newUnigram(a *args, v *vocab, sec [sections + 1][]byte) model {
	m := &unigram{vocab: v, scores: sec[secScores], unknown: a.token(v), words: new(wordCache)}
	flags := a.num(0, 3)
	m.fallback, m.single = flags&UnigramByteFallback != 0, flags&UnigramSingle != 0
	var err error
	if m.trie, err = newTrie(sec[secTrie]); err != nil {
		a.fail("%w", err)
	}
	if len(m.scores) != 8*v.size() {
		a.fail("%d bytes of scores for %d tokens", len(m.scores), v.size())
		return m
	}
	least := math.Inf(1)
	for id := range v.flags {
		score := m.score(int32(id))
		if math.IsNaN(score) {
			a.fail("the score of token %d is not a number", id)
		}
		if v.flags[id]&flagModel != 0 {
			least = min(least, score)
		}
	}
	m.penalty = least - 10 // kUnkPenalty of SentencePiece
	m.bytes = byteTokens(v)
	return m
}

// byteTokens returns the tokens of <0x..>, −1 for none. SentencePiece keeps them out of what a text is made of.
func byteTokens(v *vocab) (t [256]int32) {
	for c := range t {
		name := fmt.Appendf(nil, "<0x%02X>", c)
		if t[c] = v.find(name, flagModel); t[c] < 0 {
			t[c] = v.find(name, flagByte)
		}
	}
	return t
}

func (m *unigram) score(id int32) float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(m.scores[8*int(id):]))
}

func (m *unigram) encode(s *state, b []byte) {
	if !s.track {
		if ids, ok := m.words.get(b); ok {
			s.ids = append(s.ids, ids...)
			return
		}
	}
	first := len(s.ids)
	m.viterbi(s, b)
	m.trace(s, b)
	if !s.track {
		m.words.put(b, s.ids[first:])
	}
}

// viterbi fills the state's path with the best way to each place.
func (m *unigram) viterbi(s *state, b []byte) {
	if cap(s.path) <= len(b) {
		s.path = make([]pathNode, len(b)+1, 2*len(b)+64)
	}
	path := s.path[:len(b)+1]
	s.path = path
	for i := range path {
		path[i] = pathNode{start: -1}
	}
	root, _ := m.trie.unit(0)
	for at := 0; at < len(b); {
		here := path[at].score
		size := 1
		if b[at] >= utf8.RuneSelf {
			_, size = utf8.DecodeRune(b[at:])
		}
		single := false // a token is this character
		node, base, ok := uint64(0), root, true
		for end := at; end < len(b); {
			if node, base, ok = m.trie.step(node, base, b[end]); !ok {
				break
			}
			end++
			if base&trieToken == 0 {
				continue
			}
			id := m.trie.token(base)
			if id >= uint32(len(m.vocab.flags)) {
				continue
			}
			path[end].offer(m.add(here, m.score(int32(id))), at, int32(id))
			single = single || end-at == size
		}
		if !single {
			path[at+size].offer(m.add(here, m.penalty), at, m.unknown)
		}
		at += size
	}
}

func (m *unigram) add(a, b float64) float64 {
	if m.single {
		return float64(float32(a + b))
	}
	return a + b
}

func (n *pathNode) offer(score float64, start int, id int32) {
	if n.start < 0 || score > n.score {
		*n = pathNode{score, int32(start), id}
	}
}

// trace emits the tokens of the best way. Unknown tokens side by side are one piece of text, which is looked for
// in the vocabulary once more.
func (m *unigram) trace(s *state, b []byte) {
	path := s.path
	// turn the links round: path[start].id is then where the token that begins there ends
	next := int32(len(b))
	for at := len(b); at > 0; {
		n := path[at]
		if n.start < 0 {
			return // a damaged trie
		}
		path[at].start = next // the end that follows
		next = int32(at)
		at = int(n.start)
	}
	for lo, end := 0, int(next); lo < len(b); {
		id := path[end].id
		following := int(path[end].start)
		hi := end
		if id == m.unknown {
			for hi < len(b) && path[following].id == m.unknown {
				hi, following = following, int(path[following].start)
			}
			m.emitUnknown(s, b, lo, hi)
		} else {
			s.emit(id, lo, hi)
		}
		lo, end = hi, following
	}
}

func (m *unigram) emitUnknown(s *state, b []byte, lo, hi int) {
	part := b[lo:hi]
	if id := m.vocab.find(part, flagModel); id >= 0 {
		s.emit(id, lo, hi)
		return
	}
	if m.fallback && m.hasBytes(part) {
		for _, c := range part {
			s.emit(m.bytes[c], lo, hi)
		}
		return
	}
	if m.unknown >= 0 {
		s.emit(m.unknown, lo, hi)
	}
}

func (m *unigram) hasBytes(b []byte) bool {
	for _, c := range b {
		if m.bytes[c] < 0 {
			return false
		}
	}
	return true
}
