package verify

import (
	"os"
	"path/filepath"

	"github.com/tfgen/tfgen/gen/bundle"
	"github.com/tfgen/tfgen/gen/golden"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/gen/ref"
	"github.com/tfgen/tfgen/gen/weights"
)

// codeShare is what results may be off by with inputs, keys or values that are rounded to 8 bits or float16, as a part of the
// largest. Most are equal to some 10⁻⁴, but where float32 rounds a code to the other side than float64, later layers go another
// way: 2.5 % were seen. A wrong scale or a wrong row is far outside.
const codeShare = 0.05

// recorded is the file that replaces the recorded values of a case whose weights are rounded.
func (j *job) recorded(o *Options) string { return filepath.Join(o.Work, j.pkg, "recorded.gob") }

// record replaces the recorded values by those of the float64 evaluation of the graph after all passes, with the weights that
// the package has: what is compared is then the arithmetic of the levels, not the rounding of weights.
func (j *job) record(b *bundle.Bundle, src bundle.Source, o *Options) error {
	data, err := os.ReadFile(filepath.Join(o.Work, j.pkg, j.pkg+".weights"))
	if err != nil {
		return err
	}
	m := ref.New(b.Plan.Graph, src)
	m.Weights = func(w *ir.Weight) (*op.Tensor, error) { return unpacked(w, b.Stored(w), data) }
	share := 0.0
	if rounds(b, j.kv) {
		share = codeShare
	}
	if j.c, err = j.c.Record(golden.Reference{Model: m}, share); err != nil {
		return err
	}
	return j.c.WriteRecorded(j.recorded(o))
}

// rounds reports whether the arithmetic of a model rounds beside float32.
func rounds(b *bundle.Bundle, kv string) bool {
	for _, w := range b.Plan.Graph.Weights {
		if p := b.Stored(w); p != nil && weights.Quantised(p.Layout) != nil {
			return true
		}
	}
	return kv != "" && kv != "f32"
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
