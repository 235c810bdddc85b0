package constrain

import (
	"bytes"
	"slices"
)

// Vocabulary is the texts of a model's tokens as a trie. It is immutable and safe
// for concurrent use.
type Vocabulary struct {
	texts []byte  // of all tokens
	ends  []int32 // by id: where its text ends
	eos   []int32
	nodes []trieNode // in preorder; the first is the root
	ids   []int32    // of all tokens that have a text, in the order of the texts
	words int        // of a mask
}

// trieNode is a text that tokens begin with.
type trieNode struct {
	c           byte   // the last byte of the text
	depth       uint16 // its length
	next        int32  // the first node behind those that begin with the text
	first, last int32  // the tokens that are the text: ids[first:last]
}

// maxToken is the length beyond which a token is not used.
const maxToken = 1 << 15

// NewVocabulary makes a vocabulary of n tokens. Piece appends the bytes of a
// token in the middle of a text to dst, nothing for special tokens, which are
// never allowed. Tokens of eos are allowed where a text may end.
func NewVocabulary(n int, piece func(dst []byte, id int32) []byte, eos []int32) *Vocabulary {
	v := &Vocabulary{ends: make([]int32, n), eos: slices.Clone(eos), words: (n + 63) / 64}
	for id := range n {
		at := len(v.texts)
		v.texts = piece(v.texts, int32(id))
		if len(v.texts)-at > maxToken || slices.Contains(eos, int32(id)) {
			v.texts = v.texts[:at]
		}
		v.ends[id] = int32(len(v.texts))
		if len(v.texts) > at {
			v.ids = append(v.ids, int32(id))
		}
	}
	slices.SortFunc(v.ids, func(a, b int32) int {
		if c := bytes.Compare(v.text(a), v.text(b)); c != 0 {
			return c
		}
		return int(a - b)
	})
	v.nodes = []trieNode{{}}
	v.grow(0, 0, int32(len(v.ids)), 0)
	return v
}

// grow adds the nodes of ids[from:to], which all begin with the text of a node.
func (v *Vocabulary) grow(node, from, to int32, depth int) {
	v.nodes[node].first = from
	for from < to && len(v.text(v.ids[from])) == depth {
		from++
	}
	v.nodes[node].last = from
	for from < to {
		c := v.text(v.ids[from])[depth]
		end := from + 1
		for end < to && v.text(v.ids[end])[depth] == c {
			end++
		}
		child := int32(len(v.nodes))
		v.nodes = append(v.nodes, trieNode{c: c, depth: uint16(depth + 1)})
		v.grow(child, from, end, depth+1)
		from = end
	}
	v.nodes[node].next = int32(len(v.nodes))
}

// text is the text of a token.
func (v *Vocabulary) text(id int32) []byte {
	from := int32(0)
	if id > 0 {
		from = v.ends[id-1]
	}
	return v.texts[from:v.ends[id]]
}

// Size returns the number of tokens.
func (v *Vocabulary) Size() int { return len(v.ends) }

// AppendBytes appends the bytes of a token to dst.
func (v *Vocabulary) AppendBytes(dst []byte, id int32) []byte {
	if uint32(id) >= uint32(len(v.ends)) {
		return dst
	}
	return append(dst, v.text(id)...)
}
