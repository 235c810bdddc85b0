// Package snapshot copies, shortens, saves and restores the state of sessions of
// generated decoders.
package snapshot

import (
	"errors"
	"fmt"
)

// Cache is one layer's keys and values: for each head, blocks of BlockKeys
// positions, of which those of a ring are used again.
type Cache struct {
	K, V   []float32
	Keys   int // positions that it holds, a multiple of BlockKeys
	Heads  int
	Window int  // positions that attention looks back on, itself included; 0 is all
	Halves bool // K and V are float16, two in a word
	Codes  bool // a block of K or V has 8-bit codes, four in a word, then BlockKeys scales
	Fixed  bool // a recurrence: K is all that it has, and it cannot go back
	Source bool // of an encoder's positions: it does not change with the tokens, and whoever copies the state copies it
}

// BlockKeys is the number of positions in a block.
const BlockKeys = 64

// State is the state of a session: what it has been given, what it has computed
// last, and its caches.
type State struct {
	Model  [32]byte    // digest of the weights that it belongs to
	Tokens *[]int32    // given so far
	High   *int        // positions that have ever been written since the caches were empty
	Rows   [][]float32 // logits and the like
	Caches []Cache
	Limit  int  // tokens that the session can hold
	Source *int // tokens that an encoder has read, whose keys and values are in the caches that say so; nil: there is no encoder
}

// written is the number of positions of a cache that hold something, if the tokens have reached up to high.
func (s State) written(c Cache, high int) int {
	if c.Source {
		return s.source()
	}
	return high
}

// source is the number of tokens that an encoder has read.
func (s State) source() int {
	if s.Source == nil {
		return 0
	}
	return *s.Source
}

// ErrForgotten is wrapped by the error for going back further than a window has
// kept.
var ErrForgotten = errors.New("what came before is forgotten")

// Truncate shortens a state to its first n tokens. Layers with a window forget
// what lies far behind; if they need it, the error is ErrForgotten and nothing
// changes.
func Truncate(s State, n int) error {
	have := len(*s.Tokens)
	if n < 0 || n > have {
		return fmt.Errorf("cannot shorten a session of %d tokens to %d", have, n)
	}
	if n == 0 {
		*s.Tokens, *s.High = (*s.Tokens)[:0], 0
		return nil
	}
	for _, c := range s.Caches {
		if c.Fixed && n < have {
			return fmt.Errorf("%w: going back from %d tokens to %d, a recurrence has no way back", ErrForgotten, have, n)
		}
		if need := n - c.Window + 1; n < have && c.Window > 0 && max(need, 0) < *s.High-c.Keys {
			return fmt.Errorf("%w: going back from %d tokens to %d, a layer keeps the last %d positions and looks back on %d",
				ErrForgotten, have, n, c.Keys, c.Window)
		}
	}
	*s.Tokens = (*s.Tokens)[:n]
	return nil
}

// Copy makes dst equal to src. The first n tokens, which both have, need no copy
// where no ring has come round.
func Copy(dst, src State, n int) error {
	have := len(*src.Tokens)
	if have > dst.Limit {
		return fmt.Errorf("a session for %d tokens cannot hold the %d of another", dst.Limit, have)
	}
	for i, c := range src.Caches {
		if c.Source {
			continue
		}
		if err := fits(dst.Caches[i], c.Keys, *src.High); err != nil {
			return err
		}
	}
	n = min(n, have, len(*dst.Tokens))
	for i, c := range src.Caches {
		if c.Fixed {
			copy(dst.Caches[i].K, c.K)
		}
		if c.Fixed || c.Source {
			continue
		}
		from := n / BlockKeys
		if *src.High > c.Keys || *dst.High > dst.Caches[i].Keys {
			from = 0
		}
		copyBlocks(dst.Caches[i].K, c.K, dst.Caches[i], c, from, blocks(c, *src.High))
		copyBlocks(dst.Caches[i].V, c.V, dst.Caches[i], c, from, blocks(c, *src.High))
	}
	for i, row := range src.Rows {
		copy(dst.Rows[i], row)
	}
	*dst.Tokens = append((*dst.Tokens)[:0], *src.Tokens...)
	*dst.High = *src.High
	return nil
}

// CopySource copies the first n positions of an encoder's keys and values.
func CopySource(dst, src Cache, n int) error {
	if n > dst.Keys {
		return fmt.Errorf("a session for a source of %d tokens cannot hold one of %d", dst.Keys, n)
	}
	copyBlocks(dst.K, src.K, dst, src, 0, blocks(src, n))
	copyBlocks(dst.V, src.V, dst, src, 0, blocks(src, n))
	return nil
}

// fits reports that a cache cannot take over the positions of one of another
// size that has come round, or that has more of them.
func fits(c Cache, keys, high int) error {
	if !c.Fixed && c.Keys != keys && high > min(c.Keys, keys) {
		return fmt.Errorf("a layer of %d positions cannot take over one of %d that holds %d: open sessions with the same context", c.Keys, keys, high)
	}
	return nil
}

// blocks is the number of blocks of a head that have been written.
func blocks(c Cache, high int) int { return min((high+BlockKeys-1)/BlockKeys, c.Keys/BlockKeys) }

// copyBlocks copies blocks from … to−1 of every head.
func copyBlocks(dst, src []float32, d, s Cache, from, to int) {
	if from >= to || s.Keys == 0 {
		return
	}
	width := len(src) / s.Heads / (s.Keys / BlockKeys) // of a block
	for h := range s.Heads {
		a, b := h*len(dst)/d.Heads, h*len(src)/s.Heads
		copy(dst[a+from*width:a+to*width], src[b+from*width:b+to*width])
	}
}
