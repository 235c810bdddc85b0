package tokenizer

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// trie is a packed double array (Aoe 1989): node n has its child for byte c at base(n) + c + 1 if check there is
// n + 1. A node where a token ends has the top bit of its base set, and the token's id as the base of the unit at
// base(n).
type trie struct {
	b []byte // uint32 × 2: base, check
	n uint64 // units
}

const trieToken = 1 << 31

func newTrie(b []byte) (trie, error) {
	if len(b)%8 != 0 || len(b) == 0 {
		return trie{}, fmt.Errorf("tokenizer: %d bytes of a trie", len(b))
	}
	return trie{b, uint64(len(b) / 8)}, nil
}

func (t *trie) unit(i uint64) (base, check uint32) {
	v := binary.LittleEndian.Uint64(t.b[8*i:])
	return uint32(v), uint32(v >> 32)
}

// step goes from a node, given by its number and base, to its child for a byte.
func (t *trie) step(node uint64, base uint32, c byte) (child uint64, childBase uint32, ok bool) {
	child = uint64(base&^trieToken) + uint64(c) + 1
	if child >= t.n {
		return 0, 0, false
	}
	childBase, check := t.unit(child)
	return child, childBase, uint64(check) == node+1
}

// token returns the id of the token that ends at a node whose base has trieToken.
func (t *trie) token(base uint32) uint32 {
	at := uint64(base &^ trieToken)
	if at >= t.n {
		return 0
	}
	id, _ := t.unit(at)
	return id
}

// trieKey is a token on its way into a trie.
type trieKey struct {
	text string
	id   int32
}

// packTrie builds the trie of the model's tokens. The last of several tokens of one text counts.
func packTrie(tokens []Entry) []byte {
	last := map[string]int32{}
	for id, e := range tokens {
		if e.Model && e.Text != "" {
			last[e.Text] = int32(id)
		}
	}
	keys := make([]trieKey, 0, len(last))
	for text, id := range last {
		keys = append(keys, trieKey{text, id})
	}
	slices.SortFunc(keys, func(a, b trieKey) int {
		if a.text < b.text {
			return -1
		}
		return 1
	})
	b := &trieBuilder{free: 1}
	b.grow(1)
	b.check[0] = 1<<32 - 1
	b.place(0, 0, keys)
	n := len(b.base)
	for n > 1 && b.check[n-1] == 0 {
		n--
	}
	out := make([]byte, 0, 8*n)
	for i := range n {
		out = binary.LittleEndian.AppendUint32(out, b.base[i])
		out = binary.LittleEndian.AppendUint32(out, b.check[i])
	}
	return out
}

type trieBuilder struct {
	base, check []uint32
	free        int // no unit before it is worth looking at
}

func (b *trieBuilder) grow(n int) {
	for len(b.base) < n {
		b.base = append(b.base, make([]uint32, len(b.base)+1024)...)
		b.check = append(b.check, make([]uint32, len(b.check)+1024)...)
	}
}

// place sets the children of a node for keys that agree in their first depth bytes.
func (b *trieBuilder) place(node, depth int, keys []trieKey) {
	var codes, starts []int
	for i, k := range keys {
		code := 0
		if len(k.text) > depth {
			code = int(k.text[depth]) + 1
		}
		if len(codes) == 0 || codes[len(codes)-1] != code {
			codes, starts = append(codes, code), append(starts, i)
		}
	}
	if len(codes) == 0 {
		return
	}
	base := b.find(codes)
	b.base[node] = uint32(base)
	for _, c := range codes {
		b.check[base+c] = uint32(node + 1)
	}
	starts = append(starts, len(keys))
	for i, c := range codes {
		if c == 0 {
			b.base[node] |= trieToken
			b.base[base] = uint32(keys[starts[i]].id)
			continue
		}
		b.place(base+c, depth+1, keys[starts[i]:starts[i+1]])
	}
}

// find returns a base for which the units of all codes are free.
func (b *trieBuilder) find(codes []int) int {
	used := 0
	at := max(b.free, codes[0]+1)
	start := at
	for ; ; at++ {
		b.grow(at + 258)
		if b.check[at] != 0 {
			used++
			continue
		}
		base := at - codes[0]
		if b.fits(base, codes[1:]) {
			break
		}
	}
	if used*20 >= (at-start+1)*19 {
		b.free = at // nearly everything before is taken
	}
	return at - codes[0]
}

func (b *trieBuilder) fits(base int, codes []int) bool {
	for _, c := range codes {
		if b.check[base+c] != 0 {
			return false
		}
	}
	return true
}
