package build

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/spec"
)

// regions expands the towers, every block of them, and the head. A decoder sees the result of the encoder as "encoded".
func (x *expander) regions(p *plan) error {
	x.generates = p.head.Task == "causal-lm" || p.head.Task == "seq2seq-lm"
	if p.head.Alone && p.spec.Encoder == nil {
		return spec.Errorf(p.head.Pos, "%s: encoder_only, but the specification has no encoder", p.head.Class)
	}
	if err := x.inputsOf(p); err != nil {
		return err
	}
	f := &frame{vars: p.values.Map, names: map[string]*ir.Value{}}
	if enc := p.spec.Encoder; enc != nil {
		if !p.head.Alone {
			x.tower = "encoder"
		}
		if err := x.encoder(f, enc); err != nil {
			return err
		}
	}
	if !p.head.Alone {
		x.tower = ""
		encoded := f.current
		f = &frame{vars: p.values.Map, names: map[string]*ir.Value{}}
		if encoded != nil {
			f.names["encoded"] = encoded
		}
		if err := x.trunk(f, p.spec.Embed, p.spec.Blocks); err != nil {
			return err
		}
	}
	return x.head(f, p)
}

// encoder expands the tower in front. Where a decoder follows, what comes after its last block is a region of its own.
func (x *expander) encoder(f *frame, enc *spec.Encoder) error {
	if err := x.trunk(f, enc.Embed, enc.Blocks); err != nil {
		return err
	}
	if x.tower == "" {
		return nil // the head begins with the end
	}
	x.prefix = ""
	x.begin(ir.Bridge, "bridge", 0, enc.Pos)
	if err := x.steps(f, enc.End); err != nil {
		return err
	}
	x.region.Result = f.current
	x.graph.Outputs = append(x.graph.Outputs, ir.Output{Name: "encoder/final", Value: f.current})
	return nil
}

// trunk expands an embedding and the blocks behind it.
func (x *expander) trunk(f *frame, embed *spec.Section, blocks *spec.Blocks) error {
	x.prefix = ""
	x.begin(ir.Embed, "embed", 0, embed.Pos)
	if err := x.steps(f, embed.Steps); err != nil {
		return err
	}
	x.region.Result = f.current
	return x.blocks(f, blocks)
}

func (x *expander) head(f *frame, p *plan) error {
	x.prefix = ""
	x.begin(ir.Head, "head", 0, p.head.Pos)
	end := p.spec.End
	if p.head.Alone {
		end = p.spec.Encoder.End
	}
	for _, steps := range [][]*spec.Step{end, p.head.Steps} {
		if err := x.steps(f, steps); err != nil {
			return err
		}
	}
	x.region.Result = f.current
	if len(x.graph.Outputs) == 0 {
		return spec.Errorf(p.head.Pos, "%s has no output", p.head.Class)
	}
	return nil
}

// begin starts a region of the current tower.
func (x *expander) begin(kind ir.RegionKind, name string, index int, pos ir.Pos) {
	if x.tower != "" && kind != ir.Bridge {
		name = x.tower + strings.ToUpper(name[:1]) + name[1:]
	}
	x.region = &ir.Region{Kind: kind, Tower: x.tower, Name: name, Index: index, Pos: pos}
	x.graph.Regions = append(x.graph.Regions, x.region)
}

func (x *expander) blocks(f *frame, b *spec.Blocks) error {
	n, err := b.Repeat.Int(x.env(f))
	if err != nil {
		return err
	}
	if n < 0 || n > maxRepeat {
		return spec.Errorf(b.Repeat.Pos, "%d blocks, expected 0 to %d", n, maxRepeat)
	}
	width := max(2, len(fmt.Sprint(n-1)))
	outer := f.vars
	defer func() { f.vars, f.locals = outer, nil }()
	for i := range n {
		f.locals = map[string]any{"i": i}
		if err := x.let(f, outer, b); err != nil {
			return err
		}
		prefix, err := b.Prefix.Convert(x.env(f), "name")
		if err != nil {
			return err
		}
		x.prefix, _ = prefix.(string)
		x.begin(ir.Layer, fmt.Sprintf("layer%0*d", width, i), i, b.Pos)
		before := len(x.graph.Weights)
		if err := x.steps(f, b.Steps); err != nil {
			return fmt.Errorf("%w (block %d)", err, i)
		}
		x.region.Result = f.current
		if x.users != nil && x.store.lacks(x.graph.Weights[before:]) {
			break
		}
	}
	return nil
}

// lacks reports whether the checkpoint stores nothing of some weights. In a fit the blocks end there: the checkpoint has fewer,
// or calls them something else.
func (s *store) lacks(weights []*ir.Weight) bool {
	for _, w := range weights {
		for _, p := range w.Parts {
			if _, ok := s.tensors[p.Tensor]; ok {
				return false
			}
		}
	}
	return len(weights) > 0
}

// inputsOf makes the inputs of the graph. In a model of one pass, an encoder alone or one whose decoder reads the same
// sequence shifted by one, the encoder's tokens are the tokens.
func (x *expander) inputsOf(p *plan) error {
	together := p.spec.Encoder != nil && p.head.Task != "seq2seq-lm"
	for _, name := range p.spec.Inputs {
		t := ir.Type{DType: ir.I32, Rows: ir.Tokens}
		stored := name
		if rename := onePass[name]; together && rename != "" {
			stored = rename
		} else if _, ok := onePass[name]; ok && name != "tokens" {
			t.Rows = ir.Source
		}
		v := x.graph.Input(stored)
		if v == nil && !(p.head.Alone && stored == "shifted_tokens") {
			v = x.graph.NewValue(stored, t)
			x.graph.Inputs = append(x.graph.Inputs, v)
		}
		if v != nil && stored != name {
			x.renamed[name] = v
		}
	}
	if !together || p.head.Alone {
		return nil
	}
	if p.spec.Encoder.Shift == nil {
		return spec.Errorf(p.head.Pos, "%s: the encoder has no shift, which says what the decoder reads of a sequence", p.head.Class)
	}
	shift, err := p.spec.Encoder.Shift.Int(x.env(&frame{vars: p.values.Map}))
	x.graph.Shift = shift
	return err
}

// onePass says which inputs of an encoder–decoder stand for which of the model when both read one sequence.
var onePass = map[string]string{"source_tokens": "tokens", "source_positions": "positions", "tokens": "shifted_tokens"}
