package sha256

import (
	"crypto/sha256"
	"math/rand/v2"
	"testing"
)

// TestSameAsStandard holds both implementations against crypto/sha256, over lengths, cuts and two sums of one hash.
func TestSameAsStandard(t *testing.T) {
	defer func(was bool) { extensions = was }(extensions)
	rng := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 200<<10)
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	modes := []bool{false}
	if extensions {
		modes = append(modes, true)
	}
	for _, extensions = range modes {
		for n := range 300 {
			if got, want := Sum256(data[:n]), sha256.Sum256(data[:n]); got != want {
				t.Fatalf("%d bytes, extensions %v: %x, expected %x", n, extensions, got, want)
			}
		}
		for range 50 {
			d, n := New(), rng.IntN(len(data))
			for at := 0; at < n; {
				step := min(rng.IntN(1<<rng.IntN(18)), n-at)
				d.Write(data[at : at+step])
				at += step
				d.Sum(nil)
			}
			if got, want := [32]byte(d.Sum(nil)), sha256.Sum256(data[:n]); got != want {
				t.Fatalf("%d bytes in pieces, extensions %v: %x, expected %x", n, extensions, got, want)
			}
		}
	}
}

func BenchmarkSum(b *testing.B) {
	data := make([]byte, 1<<20)
	for _, mode := range []struct {
		name string
		sum  func([]byte) [32]byte
	}{{"own", Sum256}, {"standard", sha256.Sum256}} {
		b.Run(mode.name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				mode.sum(data)
			}
		})
	}
}
