package tune

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tfgen/tfgen/asm/amd64"
	"github.com/tfgen/tfgen/asm/kernel"
	"github.com/tfgen/tfgen/asm/tuning"
	"github.com/tfgen/tfgen/runtime/cpu"
)

// levels are the instruction sets of this machine.
func levels(t *testing.T) (have []amd64.ISA) {
	for _, l := range cpu.Available() {
		for _, isa := range amd64.ISAs {
			if isa.Level() == l.String() {
				have = append(have, isa)
			}
		}
	}
	if have == nil {
		t.Skip("this machine runs none of the kernels")
	}
	return have
}

// TestTune tunes small products: every choice is measured, and all candidates compute the same bits, or it would fail.
func TestTune(t *testing.T) {
	o := Options{Levels: levels(t), Rows: 16, Rounds: 1, Sample: time.Microsecond, Work: t.TempDir(), Shapes: []Shape{{"f32", 140, 50}}}
	if os.Getenv("TFGEN_SHARED") != "" { // slower
		o.Shapes = append(o.Shapes, Shape{"int8", 140, 50}, Shape{"q4", 140, 50}, Shape{"bf16", 141, 50})
	}
	choices := map[string]int{}
	last := 0
	o.Progress = func(done, total int, what string) {
		if done < last || done > total || what == "" {
			t.Errorf("progress %d of %d after %d: %q", done, total, last, what)
		}
		last = done
	}
	o.Found = func(f Finding) {
		choices[f.Choice]++
		if f.Tried < 1 || f.Ratio <= 0 || f.Kept && f.Best == "rule" {
			t.Errorf("%+v", f)
		}
	}
	rows, err := Tune(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"block", "depth", "unroll", "ahead", "stream", "prefetch", "call_rows", "call_tiles", "kernels", "calls"} {
		if choices[name] == 0 {
			t.Errorf("nothing was measured about %s; found %v", name, choices)
		}
	}
	table := &tuning.Table{Version: tuning.Version, Rows: rows}
	if _, err := tuning.Parse(table.Format()); err != nil {
		t.Errorf("%v of\n%s", err, table.Format())
	}
}

// TestOtherBitsAreAnError changes one output of a candidate.
func TestOtherBitsAreAnError(t *testing.T) {
	isa := levels(t)[0]
	m, _ := kernel.MatrixOf("f32", 20)
	rule, _ := amd64.Rule(isa, m.Kernel)
	other := rule
	other.Unroll = 2
	sweep := tuning.SweepRule(m.Input, m.Bytes)
	c := &contest{isa: isa, matrix: m, n: 16, rows: 4, candidates: []candidate{{rule, sweep}, {other, sweep}}}
	dir := t.TempDir()
	if _, err := compile(context.Background(), []*contest{c}, dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "v1", "product.go")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wrong := strings.Replace(string(text), "ldc, rows)\n}", "ldc, rows)\n\t*y += 1\n}", 1)
	if err := os.WriteFile(path, []byte(wrong), 0o644); err != nil || wrong == string(text) {
		t.Fatal("the wrapper is unchanged", err)
	}
	binary, err := build(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run(context.Background(), binary, []*contest{c}, 1, time.Microsecond, func() {}); err == nil || !strings.Contains(err.Error(), "other bits") {
		t.Errorf("a wrong candidate: %v", err)
	}
}

// TestGain compares times in pairs, so that a machine that becomes slower changes nothing.
func TestGain(t *testing.T) {
	g := gain([]float64{11, 22, 44, 88}, []float64{10, 20, 40, 80})
	if math.Abs(g.Ratio-1.1) > 1e-9 || g.Noise > 1e-9 || !g.sure(4) {
		t.Errorf("a steady gain: %+v", g)
	}
	g = gain([]float64{8, 12, 8, 12}, []float64{10, 10, 10, 10})
	if g.sure(4) {
		t.Errorf("noise is a gain: %+v", g)
	}
	if (Gain{1.005, 0}).sure(100) {
		t.Error("half a percent is worth a row")
	}
}

// TestParseShapes reads, sorts and rejects lists.
func TestParseShapes(t *testing.T) {
	got, err := ParseShapes("q4:64x32, f32:384x1536,q4:64x32")
	if err != nil || len(got) != 2 || got[0].String() != "f32:384x1536" || got[1].String() != "q4:64x32" {
		t.Errorf("%v, %v", got, err)
	}
	for text, want := range map[string]string{"": "expected FORMAT", "f32:0x4": "outside", "f32:4x0": "outputs", "f99:4x4": "f99", "q4k:100x4": "multiples of 256", "f32:4": "expected FORMAT"} {
		if _, err := ParseShapes(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, expected %q", text, err, want)
		}
	}
}

// TestGeneralise moves what all rows of a format agree on to a row for other numbers of columns.
func TestGeneralise(t *testing.T) {
	var measured []*tuned
	for _, k := range []int{64, 128} {
		for _, format := range []string{"f32", "q4"} {
			measured = append(measured, &tuned{isa: amd64.AVX2, shape: Shape{format, k, 16}})
		}
	}
	rows := []tuning.Row{
		{Level: "avx2", Format: "f32", K: 64, Blocking: tuning.Blocking{Rows: 4, Tiles: 1, Prefetch: 512}, Gain: 1.1},
		{Level: "avx2", Format: "f32", K: 128, Blocking: tuning.Blocking{Rows: 3, Tiles: 1, Prefetch: 512}, Gain: 1.2},
		{Level: "avx2", Format: "q4", K: 64, Blocking: tuning.Blocking{Prefetch: 512}, Gain: 1.1}, // 128 stays with the rule
		{Format: "f32", K: 64, N: 16, Sweep: tuning.Sweep{Rows: 24, Tiles: 4}, Gain: 1.1},
	}
	table := tuning.Table{Rows: generalise(rows, measured)}
	if got, want := table.Kernel("avx2", "f32", 7), (tuning.Blocking{Prefetch: 512}); got != want || len(table.Rows) != 5 {
		t.Errorf("other columns: %v, expected %v; %+v", got, want, table.Rows)
	}
	if got, want := table.Kernel("avx2", "f32", 128), (tuning.Blocking{Rows: 3, Tiles: 1, Prefetch: 512}); got != want {
		t.Errorf("128 columns: %v, expected %v", got, want)
	}
	if got := table.Kernel("avx2", "q4", 7); got != (tuning.Blocking{}) {
		t.Errorf("a row of one of two became general: %v", got)
	}
}
