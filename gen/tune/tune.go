package tune

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tfgen/tfgen/asm/amd64"
	"github.com/tfgen/tfgen/asm/kernel"
	"github.com/tfgen/tfgen/asm/tuning"
)

// Options are the choices of a tuning.
type Options struct {
	Shapes   []Shape
	Levels   []amd64.ISA // instruction sets that this machine has
	Rows     int         // of products of many rows
	Rounds   int         // how often each candidate is measured
	Sample   time.Duration
	General  bool   // add rows for other numbers of columns, where those that were measured agree
	Work     string // an empty directory
	Progress func(done, total int, what string)
	Found    func(Finding) // called for each choice that has been measured; nil: not
}

// A Finding is the best candidate of one choice.
type Finding struct {
	Level  string `json:"level"`
	Format string `json:"format"`
	K      int    `json:"k"`
	N      int    `json:"n,omitempty"` // in choices of sweeps
	Choice string `json:"choice"`
	Best   string `json:"best"` // the blocking; "rule" where nothing is faster beyond noise
	Tried  int    `json:"tried"`
	Gain
	Kept bool `json:"kept"`
}

// tuner is the state of a tuning.
type tuner struct {
	Options
	kernels []*tuned // kernels in the order of shapes and levels
	sweeps  []*tuned
	steps   int
	done    int
}

// tuned is a product with the best that is known.
type tuned struct {
	isa    amd64.ISA
	shape  Shape
	matrix kernel.Matrix
	rule   candidate
	best   candidate
}

// Tune measures and returns the rows of a table for the shapes. Every row has been compared with the rule once more as a
// whole, and is faster beyond noise.
func Tune(ctx context.Context, o Options) ([]tuning.Row, error) {
	t := &tuner{Options: o}
	if err := t.prepare(); err != nil {
		return nil, err
	}
	for _, name := range []string{"block", "depth", "unroll", "ahead", "stream", "prefetch"} {
		if err := t.step(ctx, name, t.kernels, kernelChoice(name)); err != nil {
			return nil, err
		}
	}
	t.inherit()
	for _, name := range []string{"call_rows", "call_tiles"} {
		if err := t.step(ctx, name, t.sweeps, sweepChoice(name)); err != nil {
			return nil, err
		}
	}
	return t.rows(ctx)
}

// steps of a tuning: choices of kernels, of sweeps, and the comparison of the whole.
const tuningSteps = 6 + 2 + 2

// prepare makes the list of kernels, one for each format, number of columns and level, and of sweeps, one for each shape on
// the highest level.
func (t *tuner) prepare() error {
	if len(t.Levels) == 0 {
		return fmt.Errorf("this machine has none of the instruction sets that kernels are made for: %v", amd64.ISAs)
	}
	t.steps = tuningSteps
	for i, s := range t.Shapes {
		m, _ := kernel.MatrixOf(s.Format, s.K)
		widest := i+1 == len(t.Shapes) || t.Shapes[i+1].Format != s.Format || t.Shapes[i+1].K != s.K // shapes are sorted
		var top *tuned
		for _, isa := range t.Levels {
			rule, ok := amd64.Rule(isa, m.Kernel)
			if !ok || !amd64.Supports(isa, m.Kernel) {
				continue
			}
			v := candidate{rule, tuning.SweepRule(m.Input, m.Bytes)}
			top = &tuned{isa, s, m, v, v}
			if widest {
				t.kernels = append(t.kernels, top)
			}
		}
		if top != nil {
			own := *top
			t.sweeps = append(t.sweeps, &own)
		}
	}
	return nil
}

// inherit gives the sweeps the blockings that were found for their kernels.
func (t *tuner) inherit() {
	for _, s := range t.sweeps {
		for _, k := range t.kernels {
			if k.isa == s.isa && k.shape.Format == s.shape.Format && k.shape.K == s.shape.K {
				s.rule.blocking, s.best.blocking = k.best.blocking, k.best.blocking
			}
		}
	}
}

// kernelChoice lists the candidates of a choice of kernels, and whether they matter for one row.
func kernelChoice(name string) func(v *tuned) ([]candidate, bool) {
	return func(v *tuned) (list []candidate, oneRow bool) {
		for _, c := range amd64.Candidates(v.isa, v.matrix.Kernel, v.best.blocking) {
			if c.Name != name {
				continue
			}
			oneRow = c.OneRow
			for _, b := range c.Blockings {
				list = append(list, candidate{b, v.best.sweep})
			}
		}
		return list, oneRow
	}
}

// sweepChoice lists the candidates of a choice of sweeps.
func sweepChoice(name string) func(v *tuned) ([]candidate, bool) {
	return func(v *tuned) (list []candidate, oneRow bool) {
		for _, s := range tuning.Sweeps(v.best.sweep, v.shape.N)[name] {
			list = append(list, candidate{v.best.blocking, s})
		}
		return list, false
	}
}

// step measures one choice of all products and keeps what is faster.
func (t *tuner) step(ctx context.Context, name string, list []*tuned, choice func(*tuned) ([]candidate, bool)) error {
	var contests []*contest
	var of []*tuned
	for _, v := range list {
		others, oneRow := choice(v)
		if len(others) == 0 {
			continue
		}
		c := t.contest(v, append([]candidate{v.best}, others...))
		if oneRow {
			c.rows, c.stream = 1, true
		}
		contests, of = append(contests, c), append(of, v)
	}
	gains, err := t.hold(ctx, name, contests)
	for i, g := range gains {
		best := 0
		for j := range g {
			if g[j].Ratio > g[best].Ratio {
				best = j
			}
		}
		v := of[i]
		f := Finding{Level: v.isa.Level(), Format: v.shape.Format, K: v.shape.K, Choice: name, Best: "rule", Tried: len(g), Gain: g[best]}
		if best > 0 {
			f.Best = describe(v.best, contests[i].candidates[best])
		}
		if f.Kept = best > 0 && g[best].sure(t.Rounds); f.Kept {
			v.best = contests[i].candidates[best]
		}
		t.found(f, v)
	}
	return err
}

// found reports a finding; those about sweeps are about one number of outputs.
func (t *tuner) found(f Finding, v *tuned) {
	if slices.Contains(t.sweeps, v) {
		f.N = v.shape.N
	}
	if t.Found != nil {
		t.Found(f)
	}
}

// describe says what is different in b.
func describe(a, b candidate) string {
	if a.sweep != b.sweep {
		return b.sweep.String()
	}
	return without(b.blocking, a.blocking).String()
}

// without returns b with 0 for what is as in a. A register block is one choice of two numbers.
func without(b, a tuning.Blocking) tuning.Blocking {
	if b.Rows == a.Rows && b.Tiles == a.Tiles {
		b.Rows, b.Tiles = 0, 0
	}
	for _, v := range [][2]*int{{&b.Depth, &a.Depth}, {&b.Unroll, &a.Unroll}, {&b.Ahead, &a.Ahead}, {&b.Stream, &a.Stream}, {&b.Prefetch, &a.Prefetch}} {
		if *v[0] == *v[1] {
			*v[0] = 0
		}
	}
	return b
}

// contest makes a contest of many rows.
func (t *tuner) contest(v *tuned, candidates []candidate) *contest {
	return &contest{isa: v.isa, matrix: v.matrix, n: v.shape.N, rows: t.Rows, candidates: candidates}
}

// hold compiles and runs contests, and returns what each candidate gains over the first.
func (t *tuner) hold(ctx context.Context, name string, contests []*contest) ([][]Gain, error) {
	t.done++
	if len(contests) == 0 {
		return nil, nil
	}
	total := 0
	for _, c := range contests {
		total += t.Rounds * len(c.candidates)
	}
	at := 0
	show := func() {
		t.Progress((t.done-1)*1000+at*1000/total, t.steps*1000, fmt.Sprintf("%s, %d candidates", name, total/t.Rounds))
		at++
	}
	show()
	dir := filepath.Join(t.Work, fmt.Sprintf("%d-%s", t.done, name))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	binary, err := compile(ctx, contests, dir)
	if err != nil {
		return nil, err
	}
	times, err := run(ctx, binary, contests, t.Rounds, t.Sample, show)
	if err != nil {
		return nil, err
	}
	gains := make([][]Gain, len(contests))
	for i, of := range times {
		for _, candidate := range of {
			gains[i] = append(gains[i], gain(of[0], candidate))
		}
	}
	return gains, nil
}
