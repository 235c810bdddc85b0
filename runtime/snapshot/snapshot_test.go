package snapshot

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// session is a state with one layer that keeps everything and one with a window
// of 50 in a ring of 3 blocks.
type session struct {
	State
	tokens []int32
	high   int
}

func newSession(limit int) *session {
	s := new(session)
	full := (limit + 63) / 64 * 64
	ring := min(full, 192)
	s.State = State{Model: [32]byte{1}, Tokens: &s.tokens, High: &s.high, Rows: [][]float32{make([]float32, 5)}, Limit: limit, Caches: []Cache{
		{K: make([]float32, 2*full*3), V: make([]float32, 2*full*4), Keys: full, Heads: 2},
		{K: make([]float32, ring), V: make([]float32, ring*2), Keys: ring, Heads: 1, Window: 50},
	}}
	return s
}

// feed appends n tokens; what is cached of a position depends on all tokens so far.
func (s *session) feed(n int, seed int32) {
	for range n {
		p := len(s.tokens)
		s.tokens = append(s.tokens, seed+int32(p))
		sum := float32(0)
		for i, t := range s.tokens {
			sum += float32(t * int32(i+1) % 97)
		}
		for _, c := range s.Caches {
			for h := range c.Heads {
				for _, all := range [][]float32{c.K, c.V} {
					width := len(all) / c.Heads / c.Keys
					at := h*len(all)/c.Heads + p%c.Keys/64*64*width + p%64
					for j := range width {
						all[at+j*64] = sum + float32(h+j)
					}
				}
			}
		}
		s.high = max(s.high, p+1)
		s.Rows[0][0] = sum
	}
}

// seen returns what attention sees of a state: the positions in the windows.
func (s *session) seen() (out []float32) {
	for _, c := range s.Caches {
		from := 0
		if c.Window > 0 {
			from = max(0, len(s.tokens)-c.Window)
		}
		for p := from; p < len(s.tokens); p++ {
			for h := range c.Heads {
				for _, all := range [][]float32{c.K, c.V} {
					width := len(all) / c.Heads / c.Keys
					for j := range width {
						out = append(out, all[h*len(all)/c.Heads+p%c.Keys/64*64*width+p%64+j*64])
					}
				}
			}
		}
	}
	return append(out, s.Rows[0]...)
}

func TestTruncate(t *testing.T) {
	for _, n := range []int{10, 70, 190, 300, 400} {
		for _, back := range []int{0, 1, 30, 100, 142, 143, 200} {
			if back > n {
				continue
			}
			s, want := newSession(500), newSession(500)
			s.feed(n, 3)
			err := Truncate(s.State, n-back)
			forgotten := back > 0 && n > 192 && n != back && n-192 > max(n-back-49, 0)
			if (err != nil) != forgotten || err != nil && !errors.Is(err, ErrForgotten) {
				t.Fatalf("%d back from %d: %v", back, n, err)
			}
			if err != nil {
				continue
			}
			want.feed(n-back, 3)
			s.feed(40, 11)
			want.feed(40, 11)
			if !slices.Equal(s.seen(), want.seen()) {
				t.Errorf("%d back from %d: the states differ", back, n)
			}
		}
	}
	s := newSession(500)
	s.feed(400, 1)
	if err := Truncate(s.State, 290); err != nil {
		t.Fatal(err)
	}
	s.feed(5, 1)
	if err := Truncate(s.State, 250); !errors.Is(err, ErrForgotten) { // positions 201 … 249 are needed, 208 … are there
		t.Error(err)
	}
	if Truncate(s.State, -1) == nil || Truncate(s.State, 296) == nil || Truncate(s.State, 0) != nil || s.high != 0 {
		t.Error("limits")
	}
}

func TestCopy(t *testing.T) {
	for _, n := range []int{1, 64, 100, 300} {
		for _, more := range []int{1, 70, 150} {
			for _, shared := range []int{0, min(n, 63), n} {
				src, dst := newSession(500), newSession(500)
				src.feed(n, 3)
				dst.feed(shared, 3)
				dst.feed(more/2, 50)
				src.feed(more, 9)
				if err := Copy(dst.State, src.State, shared); err != nil {
					t.Fatal(err)
				}
				src.feed(20, 2)
				dst.feed(20, 2)
				if !slices.Equal(src.tokens, dst.tokens) || !slices.Equal(src.seen(), dst.seen()) {
					t.Errorf("%d + %d tokens, %d shared: the copy differs", n, more, shared)
				}
			}
		}
	}
}

func TestSaveRestore(t *testing.T) {
	for _, n := range []int{0, 1, 64, 100, 300} {
		s := newSession(500)
		s.feed(n, 3)
		var b bytes.Buffer
		if err := Save(&b, s.State); err != nil {
			t.Fatal(err)
		}
		limit := 500
		if n <= 128 {
			limit = 130 // another size is fine as long as no ring has come round
		}
		r := newSession(limit)
		r.feed(7, 1)
		if err := Restore(bytes.NewReader(b.Bytes()), r.State, 1000); err != nil {
			t.Fatal(err)
		}
		s.feed(2, 5)
		r.feed(2, 5)
		if !slices.Equal(s.tokens, r.tokens) || !slices.Equal(s.seen(), r.seen()) {
			t.Errorf("%d tokens: the states differ", n)
		}
	}
}

func TestRestoreErrors(t *testing.T) {
	s := newSession(500)
	s.feed(300, 3)
	var b bytes.Buffer
	if err := Save(&b, s.State); err != nil {
		t.Fatal(err)
	}
	change := func(at int, v byte) []byte {
		c := bytes.Clone(b.Bytes())
		c[at] = v
		return c
	}
	tail := b.Len() - 1
	for name, c := range map[string]struct {
		data  []byte
		limit int
		says  string
	}{
		"empty":       {nil, 500, "EOF"},
		"cut":         {b.Bytes()[:b.Len()-3], 500, "EOF"},
		"magic":       {change(3, 9), 500, "not a saved session"},
		"model":       {change(8, 9), 500, "other weights"},
		"too long":    {b.Bytes(), 200, "this session holds 200"},
		"token":       {change(63, 0x7f), 500, "the vocabulary has"},
		"source":      {change(56, 1), 500, "a source of 1 tokens"},
		"NaN":         {append(bytes.Clone(b.Bytes()[:tail-1]), 0xff, 0x7f), 500, "no numbers"},
		"many tokens": {change(43, 0xff), 500, "this session holds"},
		"rows":        {change(48, 0xff), 500, "another model"},
	} {
		r := newSession(c.limit)
		r.feed(3, 1)
		if err := Restore(bytes.NewReader(c.data), r.State, 1000); err == nil || !strings.Contains(err.Error(), c.says) || len(r.tokens) != 0 {
			t.Errorf("%s: %v, %d tokens left; want %q", name, err, len(r.tokens), c.says)
		}
	}
	small := newSession(500)
	small.Caches[1] = Cache{K: make([]float32, 128), V: make([]float32, 256), Keys: 128, Heads: 1, Window: 50}
	for _, err := range []error{Restore(&b, small.State, 1000), Copy(small.State, s.State, 0)} {
		if err == nil || !strings.Contains(err.Error(), "same context") {
			t.Errorf("another ring: %v", err)
		}
	}
	if err := Copy(newSession(100).State, s.State, 0); err == nil {
		t.Error("a session for 100 tokens takes 300")
	}
}

// sourceSession is a session with a cache of what an encoder has read.
func sourceSession(limit int) *session {
	s := newSession(limit)
	keys := (limit + 63) / 64 * 64
	s.Caches = append(s.Caches, Cache{K: make([]float32, 3*keys), V: make([]float32, 3*keys), Keys: keys, Heads: 3, Source: true})
	s.Source = new(int)
	return s
}

// TestSource saves and restores states with sources: as much as was read, whatever the number of tokens.
func TestSource(t *testing.T) {
	for _, n := range []int{0, 1, 64, 65, 130} {
		s := sourceSession(130)
		*s.Source = n
		cross := s.Caches[2]
		for i := range cross.K {
			cross.K[i], cross.V[i] = float32(i+1), -float32(i+1)
		}
		s.tokens, s.high = append(s.tokens, 1, 2, 3), 3
		var b bytes.Buffer
		if err := Save(&b, s.State); err != nil {
			t.Fatal(err)
		}
		r := sourceSession(130)
		if err := Restore(bytes.NewReader(b.Bytes()), r.State, 1000); err != nil {
			t.Fatal(err)
		}
		if *r.Source != n || len(r.tokens) != 3 {
			t.Errorf("%d tokens of source: %d are restored, and %d tokens", n, *r.Source, len(r.tokens))
		}
		for h, width := 0, len(cross.K)/3; h < 3; h++ {
			read := (n + 63) / 64 * 64
			if got := r.Caches[2]; !slices.Equal(got.K[h*width:][:read], cross.K[h*width:][:read]) || !slices.Equal(got.V[h*width:][:read], cross.V[h*width:][:read]) {
				t.Errorf("%d tokens of source: head %d differs", n, h)
			}
		}
		small := sourceSession(60)
		if err := Restore(bytes.NewReader(b.Bytes()), small.State, 1000); (err == nil) != (n <= 60) || err != nil && *small.Source != 0 {
			t.Errorf("%d tokens of source in a session for 60: %v, %d left", n, err, *small.Source)
		}
	}
}

func FuzzRestore(f *testing.F) {
	s := newSession(130)
	s.feed(70, 3)
	var b bytes.Buffer
	if err := Save(&b, s.State); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:100])
	read := sourceSession(130)
	*read.Source = 65
	b.Reset()
	if err := Save(&b, read.State); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		r := newSession(130)
		if len(data) > 52 && data[52] == 3 { // caches
			r = sourceSession(130)
		}
		if err := Restore(bytes.NewReader(data), r.State, 1000); err != nil {
			return
		}
		var again, more bytes.Buffer
		if err := Save(&again, r.State); err != nil {
			t.Fatal(err)
		}
		if err := Restore(bytes.NewReader(again.Bytes()), r.State, 1000); err != nil {
			t.Fatal(err)
		}
		if err := Save(&more, r.State); err != nil || !bytes.Equal(again.Bytes(), more.Bytes()) {
			t.Error("saving what was restored gives other bytes")
		}
	})
}

// TestCodes saves and restores a cache of 8 bits: codes may have any bits, scales must be numbers.
func TestCodes(t *testing.T) {
	const width, keys = 16 + BlockKeys, 128
	open := func() *session {
		s := new(session)
		s.State = State{Tokens: &s.tokens, High: &s.high, Limit: keys, Caches: []Cache{
			{K: make([]float32, 2*width*keys/BlockKeys), V: make([]float32, 2*width*keys/BlockKeys), Keys: keys, Heads: 2, Codes: true}}}
		return s
	}
	s := open()
	s.tokens, s.high = make([]int32, 70), 70
	s.Caches[0].K[3] = float32(math.NaN())
	s.Caches[0].V[width+16] = 2.5 // a scale of the second block
	var b bytes.Buffer
	if err := Save(&b, s.State); err != nil {
		t.Fatal(err)
	}
	saved := b.Bytes()
	r := open()
	if err := Restore(bytes.NewReader(saved), r.State, 10); err != nil || r.Caches[0].V[width+16] != 2.5 || r.Caches[0].K[3] == r.Caches[0].K[3] {
		t.Errorf("restored %v, %v, %v", r.Caches[0].V[width+16], r.Caches[0].K[3], err)
	}
	s.Caches[0].V[width+17] = float32(math.Inf(1))
	b.Reset()
	if err := Save(&b, s.State); err != nil {
		t.Fatal(err)
	}
	if err := Restore(&b, open().State, 10); err == nil || !strings.Contains(err.Error(), "no numbers") {
		t.Errorf("an infinite scale: error %v", err)
	}
}
