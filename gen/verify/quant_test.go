package verify

import (
	"context"
	"encoding/gob"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/tfgen/tfgen/gen/bundle"
	"github.com/tfgen/tfgen/gen/checkpoint/synth"
	"github.com/tfgen/tfgen/gen/golden"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/gen/ref"
	"github.com/tfgen/tfgen/gen/weights"
	"github.com/tfgen/tfgen/runtime/cpu"
)

// TestQuantised compiles cases with quantised and float16 weights and compares every level with the reference of the
// same graph over the weights that were packed. A code of an input that float32 rounds to the other side changes a
// product by one part in some thousand, so that the tolerance is wide; a wrong scale or a wrong row is far outside.
func TestQuantised(t *testing.T) {
	formats := []struct{ name, policy, kv string }{
		{"llama", "f32", "f16"}, {"llama", "q4,down_proj=q5m,embed_tokens=q4m", ""}, {"llama", "f16", ""},
		{"mixtral", "q5", ""}, {"bert-masked-lm", "q4m", ""}, {"gpt2", "q8", ""}, {"gemma3-text", "f32", "f16"}, {"llama", "f32", "q8"}, {"gpt-oss", "f32", "q8"},
		{"bert-masked-lm", "int8", ""}, {"mixtral", "int8", "q8"},
	}
	if testing.Short() {
		formats = formats[:2]
	}
	module, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	var jobs []*job
	var references []golden.Runner
	for i, f := range formats {
		dir := filepath.Join("../golden/testdata", f.name)
		j := &job{name: f.name + " " + f.policy, pkg: packageName(i, f.name)}
		if j.c, err = golden.Open(dir); err != nil {
			t.Fatal(err)
		}
		if err := j.emit(context.Background(), dir, &Options{Work: work, Weights: f.policy, KV: f.kv}); err != nil {
			t.Fatalf("%s: %v", j.name, err)
		}
		jobs = append(jobs, j)
		references = append(references, packedReference(t, j, dir, f.policy, f.kv, work))
	}
	h := &harness{jobs, &Options{Module: module, Work: work, Progress: func(string, ...any) {}}}
	if err := h.compile(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, level := range cpu.Available() {
		h.compareQuantised(t, level.String(), references)
	}
}

// compareQuantised runs the first input of every job at a level and compares with its reference.
func (h *harness) compareQuantised(t *testing.T, level string, references []golden.Runner) {
	cmd := h.command(context.Background(), level)
	cmd.Stderr = os.Stderr
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
	for i, j := range h.jobs {
		segments := j.c.Inputs[0].Segments()
		want, err := references[i].Full(segments)
		if err != nil {
			t.Fatalf("%s: %v", j.name, err)
		}
		got, err := (&remote{link, j.pkg}).Full(segments)
		if err != nil {
			t.Fatalf("%s at %s: %v", j.name, level, err)
		}
		compareResults(t, j.name+" at "+level, got, want)
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

// compareResults compares all outputs by their largest element.
func compareResults(t *testing.T, name string, got, want golden.Result) {
	t.Helper()
	if len(want) == 0 {
		t.Errorf("%s: the reference has no outputs", name)
	}
	for output, w := range want {
		g := got[output]
		if g == nil || len(g.Data) != len(w.Data) {
			t.Errorf("%s: output %s is missing or of another size", name, output)
			continue
		}
		worst, largest := 0.0, 0.0
		for i, v := range w.Data {
			largest = max(largest, math.Abs(float64(v)))
			worst = max(worst, math.Abs(float64(g.Data[i])-float64(v)))
		}
		if !(worst <= 0.01*largest) {
			t.Errorf("%s: %s is off by %.3g, its largest element is %.3g", name, output, worst, largest)
		}
	}
}

// packedReference is the float64 evaluation of the graph after all passes, with the weights that the job's file has.
func packedReference(t *testing.T, j *job, dir, policy, kv, work string) golden.Runner {
	t.Helper()
	c, err := synth.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	src := bundle.FromCheckpoint(c)
	b, err := bundle.New(src, nil, bundle.Options{Package: j.pkg, Weights: policy, KV: kv, Trace: true})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(work, j.pkg, j.pkg+".weights"))
	if err != nil {
		t.Fatal(err)
	}
	m := ref.New(b.Plan.Graph, src)
	m.Weights = func(w *ir.Weight) (*op.Tensor, error) { return unpacked(w, b.Stored(w), data) }
	return golden.Reference{Model: m}
}

// unpacked reads a packed tensor back, without the rows that fill up groups.
func unpacked(w *ir.Weight, p *weights.Packed, data []byte) (*op.Tensor, error) {
	l, err := weights.Lookup(p.Layout)
	if err != nil {
		return nil, err
	}
	all := make([]float32, p.Rows*p.Cols)
	l.Unpack(all, data[p.Offset:][:p.Bytes()], p.Rows, p.Cols)
	padded := (p.Group + 15) / 16 * 16
	out := &op.Tensor{Width: p.Cols}
	for r := range p.Rows {
		if p.Group > 0 && r%padded >= p.Group {
			continue
		}
		for _, v := range all[r*p.Cols:][:p.Cols] {
			out.Data = append(out.Data, float64(v))
		}
		out.Rows++
	}
	if len(w.Shape) == 1 {
		out.Rows, out.Width = 1, out.Rows
	}
	return out, nil
}
