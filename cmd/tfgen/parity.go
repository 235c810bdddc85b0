package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	graphs "github.com/tfgen/tfgen/gen/build"
	"github.com/tfgen/tfgen/gen/bundle"
	"github.com/tfgen/tfgen/gen/golden"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/gen/ref"
	"github.com/tfgen/tfgen/gen/weights"
)

const parityHelp = `usage: tfgen parity MODEL [SPEC] [flags]

Builds the model for every target that this machine can run, gives all of them the same tokens, and compares hidden states
of every layer, outputs and the greedy continuation. MODEL can also be the directory of a golden case. Small models are
held against the float64 reference, larger ones against the Go package. What did not run is in the table with its reason.
The exit status is 1 if token ids differ.

Examples:

  tfgen parity tests/demo-model --weights bf16
  tfgen parity DIR --target go,c -n 64 --json
`

// parityRow is one line of the table.
type parityRow struct {
	Target  string  `json:"target"`
	Variant string  `json:"variant"`
	Where   string  `json:"where"`
	Skipped string  `json:"not_run,omitempty"` // why it did not run
	Equal   bool    `json:"token_ids_equal"`
	Worst   float64 `json:"worst_delta"` // of the largest value of the layer, over all layers and outputs
	Layer   string  `json:"worst_layer"`
	Rate    float64 `json:"tokens_per_second"`
	Bytes   int64   `json:"bytes"` // of the program or package, without the weights
}

// parityAnswer is what a target makes of the input.
type parityAnswer struct {
	values  [][]float32 // by name
	tokens  []int32
	seconds float64
}

// parityJob is what all targets are given.
type parityJob struct {
	options *buildOptions
	work    string
	causal  bool
	ids     []int32
	source  []int32 // what the encoder of an encoder–decoder reads
	greedy  int
	names   []string
	want    *parityAnswer // what the others are compared with; nil before the first
	against string
	rows    []parityRow
}

// runParity is the parity command.
func runParity(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o := &buildOptions{quiet: true, vendor: true, module: "tfgen.local/parity"}
	f := newFlags("parity", parityHelp, stderr)
	asJSON := f.Bool("json", false, "print JSON")
	f.StringVar(&o.targets, "target", targetNames(), "targets to compare, separated by commas")
	f.StringVar(&o.Weights, "weights", "f32", "weight format: "+strings.Join(weights.Formats(), ", "))
	tokens := f.Int("n", 32, "tokens of the greedy continuation")
	if err := o.parse(f, args); err != nil {
		return err
	}
	if *tokens < 1 {
		return fmt.Errorf("-n %d: expected at least 1 token", *tokens)
	}
	o.defaults()
	o.Trace = true
	rows, err := findTargets(o.targets)
	if err != nil {
		return err
	}
	j := &parityJob{options: o, greedy: *tokens}
	if j.work, err = os.MkdirTemp("", "tfgen-parity-"); err != nil {
		return err
	}
	defer os.RemoveAll(j.work)
	if err := j.run(ctx, rows, stderr); err != nil {
		return err
	}
	return j.print(stdout, *asJSON)
}

// run builds and runs every target.
func (j *parityJob) run(ctx context.Context, rows []*target, log io.Writer) error {
	models := map[*backend]*compiled{}
	var refused error // why the last target refused the model
	for _, t := range rows {
		if t.parity == nil {
			j.skip(t, "", "it has no driver for parity")
			continue
		}
		c := models[t.backend]
		if c == nil {
			b, closeModel, err := prepare(j.options, t.backend)
			if err != nil {
				refused = err
				j.skip(t, "", err.Error())
				continue
			}
			defer closeModel()
			c = &compiled{Bundle: b}
			models[t.backend] = c
		}
		if j.names == nil {
			if err := j.describe(c.Bundle); err != nil {
				return err
			}
		}
		fmt.Fprintf(log, "building %s\n", t.name)
		out, err := newOutput(t, j.options, filepath.Join(j.work, t.name))
		if err == nil {
			err = out.write(ctx, c.Bundle, func(path string) error { return c.putWeights(ctx, path, nil) })
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			j.skip(t, "", err.Error())
			continue
		}
		c.weights = filepath.Join(out.dir, out.weightsName())
		t.parity(ctx, j, out)
	}
	if len(models) == 0 {
		return refused
	}
	return nil
}

// referenceParameters is the size up to which the float64 reference is quick enough.
const referenceParameters = 32 << 20

// describe chooses the input and computes the reference of a small model.
func (j *parityJob) describe(b *bundle.Bundle) error {
	g := b.Plan.Graph
	j.causal = len(g.States) > 0
	n := 12
	if !j.causal {
		j.greedy = 0
	}
	n = max(1, min(n, g.MaxPos-j.greedy))
	j.greedy = min(j.greedy, g.MaxPos-n)
	for i := range n {
		j.ids = append(j.ids, int32((i*7919+13)%g.Vocab))
	}
	if j.causal && g.Towers() {
		j.source = append([]int32(nil), j.ids...)
		slices.Reverse(j.source)
		j.ids = j.ids[:min(n, 4)]
		for i, id := range b.Result.Start {
			j.ids[i] = int32(id)
		}
	}
	layers := map[string]int{}
	for _, r := range g.Regions {
		if r.Result == nil || r.Kind == ir.Head || r.Kind == ir.Bridge {
			continue
		}
		tower := r.Tower
		if tower == "" && g.Towers() {
			tower = "decoder"
		}
		j.names = append(j.names, path.Join(tower, fmt.Sprintf("hidden/%d", layers[tower])))
		layers[tower]++
	}
	for _, o := range g.Outputs {
		j.names = append(j.names, o.Name)
	}
	if b.Parameters() > referenceParameters || j.options.Weights != "f32" {
		return nil
	}
	return j.reference()
}

// reference computes the answer in float64. Its greedy tokens are those of the first target.
func (j *parityJob) reference() error {
	c, err := openCheckpoint(j.options.model)
	if err != nil {
		return err
	}
	defer c.Close()
	src := bundle.FromCheckpoint(c)
	m, err := graphs.Model(src)
	if err != nil {
		return nil // with a specification of the user's: without reference
	}
	result, err := golden.Reference{Model: ref.New(m.Graph, src)}.Full([]op.Segment{{Tokens: j.ids, Source: j.source, Total: len(j.ids)}})
	if err != nil {
		return err
	}
	j.want, j.against = &parityAnswer{}, "the float64 reference"
	for _, name := range j.names {
		var values []float32
		if matrix := result[name]; matrix != nil {
			values = matrix.Data
		}
		j.want.values = append(j.want.values, values)
	}
	return nil
}

// skip records a target that did not run.
func (j *parityJob) skip(t *target, variant, why string) {
	j.rows = append(j.rows, parityRow{Target: t.name, Variant: variant, Where: "not run", Skipped: strings.SplitN(why, "\n", 2)[0]})
}

// add compares an answer and records its row.
func (j *parityJob) add(r parityRow, a *parityAnswer) {
	if j.want == nil {
		j.want, j.against = a, "the first row"
	}
	if j.want.tokens == nil {
		j.want.tokens = a.tokens
	}
	r.Equal = fmt.Sprint(a.tokens) == fmt.Sprint(j.want.tokens)
	for i, name := range j.names {
		if d := difference(a.values[i], j.want.values[i]); d >= r.Worst {
			r.Worst, r.Layer = d, name
		}
	}
	if count := len(a.tokens); a.seconds > 0 {
		if !j.causal {
			count = len(j.ids)
		}
		r.Rate = float64(count) / a.seconds
	}
	j.rows = append(j.rows, r)
}

// difference is the largest difference of two results, as a share of the largest value of the second.
func difference(a, b []float32) float64 {
	if len(b) == 0 {
		return 0
	}
	if len(a) != len(b) {
		return 1
	}
	worst, size := 0.0, 0.0
	for i := range b {
		d := float64(a[i]) - float64(b[i])
		if d != d {
			return 1
		}
		worst, size = max(worst, d, -d), max(size, float64(b[i]), -float64(b[i]))
	}
	if size == 0 {
		return worst
	}
	return worst / size
}

var errParity = errors.New("targets disagree: the table says which")

// parityTolerance is the largest difference of a layer, as a share of its largest value, that rounding explains. Products with
// quantised weights round their inputs to 8 bits, where a difference in the last bit can become one of a code.
func parityTolerance(format string) float64 {
	if strings.Contains(" f32 f16 bf16 ", " "+format+" ") {
		return 1e-3
	}
	return 0.1
}

// print prints the table and reports disagreement.
func (j *parityJob) print(out io.Writer, asJSON bool) error {
	ok, ran := true, 0
	for _, r := range j.rows {
		if r.Skipped == "" {
			ran++
			ok = ok && r.Equal && r.Worst <= parityTolerance(j.options.Weights)
		}
	}
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		if err := e.Encode(struct {
			Model   string      `json:"model"`
			Weights string      `json:"weights"`
			Against string      `json:"compared_with"`
			Rows    []parityRow `json:"rows"`
		}{j.options.Title, j.options.Weights, j.against, j.rows}); err != nil {
			return err
		}
	} else {
		j.table(out)
	}
	switch {
	case ran == 0:
		return errors.New("no target ran")
	case !ok:
		return errParity
	}
	return nil
}

// table prints the rows for people.
func (j *parityJob) table(out io.Writer) {
	fmt.Fprintf(out, "%s, weights in %s, compared with %s\n\n", j.options.Title, j.options.Weights, j.against)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "target\tvariant\tran where\ttoken ids\tworst Δ\tat\ttokens/s\tbytes without weights")
	for _, r := range j.rows {
		if r.Skipped != "" {
			fmt.Fprintf(w, "%s\t%s\tnot run\t\t\t\t\t%s\n", r.Target, r.Variant, r.Skipped)
			continue
		}
		ids := "equal"
		if !r.Equal {
			ids = "DIFFER"
		}
		if !j.causal {
			ids = "none"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.2g\t%s\t%.1f\t%s\n", r.Target, r.Variant, r.Where, ids, r.Worst, r.Layer, r.Rate, count(r.Bytes))
	}
	w.Flush()
}
