package tokenizer

import "sync/atomic"

const (
	cacheSlots = 1 << 13
	cacheWord  = 64 // bytes of the longest piece that is kept
)

// wordCache remembers the tokens of short pieces. A slot holds the last piece that fell into it; readers and
// writers share slots without locks.
type wordCache [cacheSlots]atomic.Pointer[cachedWord]

type cachedWord struct {
	text string
	ids  []int32
}

func (c *wordCache) get(b []byte) ([]int32, bool) {
	if len(b) > cacheWord {
		return nil, false
	}
	w := c[hashBytes(b)%cacheSlots].Load()
	if w == nil || w.text != string(b) {
		return nil, false
	}
	return w.ids, true
}

func (c *wordCache) put(b []byte, ids []int32) {
	if len(b) <= cacheWord {
		c[hashBytes(b)%cacheSlots].Store(&cachedWord{string(b), append([]int32(nil), ids...)})
	}
}
