package verify

import (
	"context"
	"encoding/gob"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/tfgen/tfgen/gen/golden"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/runtime/cpu"
)

// sameBits runs all cases that an earlier run has compiled with 1, 2 and 3 threads at every level and holds the results to the
// contract on bits: the same for every number of threads, and the same for a row alone as beside others.
func sameBits(t *testing.T, o Options) {
	t.Helper()
	for _, level := range cpu.Available() {
		var want map[string][]uint64
		for threads := 1; threads <= 3; threads++ {
			got := recordBits(t, o, level.String(), threads)
			if want == nil {
				want = got
			}
			for name, bits := range got {
				if !slices.Equal(bits, want[name]) {
					t.Errorf("%s at %s: other bits with %d threads than with one", name, level, threads)
				}
			}
		}
	}
}

// recordBits returns a sum of every result of every case, in the order in which they are asked for.
func recordBits(t *testing.T, o Options, level string, threads int) map[string][]uint64 {
	t.Helper()
	h := &harness{o: &o}
	cmd := h.command(context.Background(), level)
	cmd.Env = append(cmd.Env, fmt.Sprintf("GOMAXPROCS=%d", threads))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	link := &link{enc: gob.NewEncoder(in), dec: gob.NewDecoder(out)}
	all := map[string][]uint64{}
	for i, dir := range o.Cases {
		c, err := golden.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		r := &recorder{Runner: &remote{link, packageName(i, c.Name)}, t: t, name: c.Name}
		golden.Compare(c, r)
		if len(r.sums) == 0 {
			t.Errorf("%s: nothing was computed", c.Name)
		}
		all[c.Name] = r.sums
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return all
}

// recorder is a Runner that remembers the bits of all results.
type recorder struct {
	golden.Runner
	t        *testing.T
	name     string
	sums     []uint64
	batch    golden.Result // of the last run of several segments
	segments []op.Segment
}

// Full implements golden.Runner.
func (r *recorder) Full(segments []op.Segment) (golden.Result, error) {
	x, err := r.Runner.Full(segments)
	if err != nil {
		r.t.Errorf("%s: %v", r.name, err)
		return x, err
	}
	for _, name := range slices.Sorted(maps.Keys(x)) {
		r.sums = append(r.sums, bitsOf(x[name].Data))
	}
	if len(segments) > 1 {
		r.batch, r.segments = x, segments
	} else {
		r.alone(segments[0], x)
	}
	return x, nil
}

// alone compares the rows of a segment that was run alone with its rows in the batch before.
func (r *recorder) alone(s op.Segment, x golden.Result) {
	at := map[bool]int{} // of the segment's first row in the batch: of the encoder (true) or the model
	for i, other := range r.segments {
		if slices.Equal(other.Tokens, s.Tokens) && slices.Equal(other.Source, s.Source) {
			for name, m := range x {
				first := i
				if both := r.batch[name]; both == nil {
					continue
				} else if both.Rows != len(r.segments) || m.Rows != 1 {
					first = at[len(name) > 8 && name[:8] == "encoder/"]
				}
				if got, want := bitsOf(m.Data), bitsOf(r.batch[name].Data[first*m.Width:][:m.Rows*m.Width]); got != want {
					r.t.Errorf("%s: %s of row %d has other bits alone than in its batch", r.name, name, i)
				}
			}
			return
		}
		at[false] += len(other.Tokens)
		if other.Source != nil {
			at[true] += len(other.Source)
		} else { // both towers read the same sequence
			at[true] += len(other.Tokens)
		}
	}
}

// Decode implements golden.Runner.
func (r *recorder) Decode(s op.Segment, prefill int) ([][]float32, error) {
	x, err := r.Runner.Decode(s, prefill)
	for _, row := range x {
		r.sums = append(r.sums, bitsOf(row))
	}
	return x, err
}

func bitsOf(data []float32) uint64 {
	h := fnv.New64a()
	for _, v := range data {
		b := math.Float32bits(v)
		h.Write([]byte{byte(b), byte(b >> 8), byte(b >> 16), byte(b >> 24)})
	}
	return h.Sum64()
}
