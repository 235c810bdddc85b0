package tokenizer

import "unicode/utf8"

// wordPiece takes the longest token that a word begins with, and goes on with the rest (BERT).
type wordPiece struct {
	vocab   *vocab
	unknown int32
	longest int    // a longer word, in characters, is unknown
	prefix  string // of tokens that continue a word
}

func (m *wordPiece) encode(s *state, b []byte) {
	ids := len(s.ids)
	if utf8.RuneCount(b) > m.longest || !m.pieces(s, b) {
		s.ids, s.spans = s.ids[:ids], s.spans[:0]
		if m.unknown >= 0 {
			s.emit(m.unknown, 0, len(b))
		}
	}
}

func (m *wordPiece) pieces(s *state, b []byte) bool {
	for start := 0; start < len(b); {
		s.key = s.key[:0]
		if start > 0 {
			s.key = append(s.key, m.prefix...)
		}
		prefix := len(s.key)
		// no token is longer than maxLen, so that a long word costs no more than its length times that
		end := min(len(b), start+max(m.vocab.maxLen-prefix, 0))
		s.key = append(s.key, b[start:end]...)
		id := int32(-1)
		for n := end - start; n > 0; n-- {
			if start+n < len(b) && !utf8.RuneStart(b[start+n]) {
				continue
			}
			if id = m.vocab.find(s.key[:prefix+n], flagModel); id >= 0 {
				s.emit(id, start, start+n)
				start += n
				break
			}
		}
		if id < 0 {
			return false
		}
	}
	return true
}

// wordLevel knows whole words only.
type wordLevel struct {
	vocab   *vocab
	unknown int32
}

func (m *wordLevel) encode(s *state, b []byte) {
	id := m.vocab.find(b, flagModel)
	if id < 0 {
		id = m.unknown
	}
	if id >= 0 {
		s.emit(id, 0, len(b))
	}
}
