package op

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/ir"
)

func inferSame(o *ir.Op) ([]ir.Type, error) {
	t := o.In[0].Type
	if d := o.Attrs.Int("dim"); d > 0 && t.Width()%d != 0 {
		return nil, fmt.Errorf("dim %d does not divide the width %d", d, t.Width())
	}
	return []ir.Type{t}, wantFloat(o.In[0])
}

func inferClamp(o *ir.Op) ([]ir.Type, error) {
	if low, high := o.Attrs.Float("low"), o.Attrs.Float("high"); !(low <= high) {
		return nil, fmt.Errorf("low is %v, high %v", low, high)
	}
	return inferSame(o)
}

func inferBinary(o *ir.Op) ([]ir.Type, error) {
	a, b := o.In[0].Type, o.In[1].Type
	if !a.Equal(b) {
		return nil, fmt.Errorf("the operands are %s and %s, expected the same type", a, b)
	}
	return []ir.Type{a}, wantFloat(o.In[0])
}

func inferAddNorm(o *ir.Op) ([]ir.Type, error) {
	if _, err := inferBinary(o); err != nil {
		return nil, err
	}
	return []ir.Type{o.In[0].Type, o.In[0].Type}, nil
}

func inferEmbed(o *ir.Op) ([]ir.Type, error) {
	t := o.In[0].Type
	if t.DType != ir.I32 || len(t.Dims) != 0 {
		return nil, fmt.Errorf("the ids are %s, expected i32[N]", t)
	}
	if o.Attrs.Int("rows") <= 0 || o.Attrs.Int("dim") <= 0 {
		return nil, fmt.Errorf("a table of %d × %d", o.Attrs.Int("rows"), o.Attrs.Int("dim"))
	}
	return []ir.Type{{DType: ir.F32, Rows: t.Rows, Dims: []int{o.Attrs.Int("dim")}}}, nil
}

func inferLinear(o *ir.Op) ([]ir.Type, error) {
	t := o.In[0].Type
	out := ir.Type{DType: ir.F32, Rows: t.Rows, Dims: []int{o.Attrs.Int("dim")}}
	if out.Dims[0] <= 0 {
		return nil, fmt.Errorf("dim is %d", out.Dims[0])
	}
	if len(o.In) > 1 && !o.In[1].Type.Equal(out) {
		return nil, fmt.Errorf("the residual is %s, expected %s", o.In[1].Type, out)
	}
	if t.DType == ir.Q8 || t.DType == ir.I8 {
		return []ir.Type{out}, nil
	}
	return []ir.Type{out}, wantFloat(o.In[0])
}

func inferQuantize(o *ir.Op) ([]ir.Type, error) {
	t, d := o.In[0].Type, ir.Q8
	if o.Attrs.Bool("rows") {
		d = ir.I8
	}
	return []ir.Type{{DType: d, Rows: t.Rows, Dims: t.Dims}}, wantFloat(o.In[0])
}

func inferSlice(o *ir.Op) ([]ir.Type, error) {
	t := o.In[0].Type
	from, to := o.Attrs.Int("from"), o.Attrs.Int("to")
	if from < 0 || to <= from || to > t.Width() {
		return nil, fmt.Errorf("elements %d to %d of a row of %d", from, to, t.Width())
	}
	return []ir.Type{{DType: t.DType, Rows: t.Rows, Dims: []int{to - from}}}, nil
}

func inferConcat(o *ir.Op) ([]ir.Type, error) {
	a, b := o.In[0].Type, o.In[1].Type
	if a.Rows != b.Rows || a.DType != ir.F32 || b.DType != ir.F32 {
		return nil, fmt.Errorf("rows of %s beside rows of %s", a, b)
	}
	return []ir.Type{{DType: a.DType, Rows: a.Rows, Dims: []int{a.Width() + b.Width()}}}, nil
}

func inferPositionScale(o *ir.Op) ([]ir.Type, error) {
	if o.Attrs.Float("period") < 1 || o.Attrs.Float("beta") < 0 {
		return nil, fmt.Errorf("period is %v and beta %v, expected at least 1 and 0", o.Attrs.Float("period"), o.Attrs.Float("beta"))
	}
	return []ir.Type{{DType: ir.F32, Rows: o.In[0].Type.Rows, Dims: []int{1}}}, nil
}

func inferAngles(o *ir.Op) ([]ir.Type, error) {
	rot := o.Attrs.Int("rot")
	if rot <= 0 || rot%2 != 0 {
		return nil, fmt.Errorf("rot is %d, expected a positive even number", rot)
	}
	if d := o.Attrs.Int("dim"); d != 0 && d != rot && d != rot-1 {
		return nil, fmt.Errorf("dim is %d, expected rot, %d, or one less", d, rot)
	}
	if _, err := NewRope(o.Attrs); err != nil {
		return nil, err
	}
	return []ir.Type{{DType: ir.F32, Rows: o.In[0].Type.Rows, Dims: []int{rot}}}, nil
}

func inferSinusoid(o *ir.Op) ([]ir.Type, error) {
	dim := o.Attrs.Int("dim")
	if dim < 4 || dim%2 != 0 {
		return nil, fmt.Errorf("dim is %d, expected an even number from 4", dim)
	}
	return []ir.Type{{DType: ir.F32, Rows: o.In[0].Type.Rows, Dims: []int{dim}}}, nil
}

func inferRope(o *ir.Op) ([]ir.Type, error) {
	heads, dim, rot := o.Attrs.Int("heads"), o.Attrs.Int("head_dim"), o.Attrs.Int("rot")
	if w := o.In[0].Type.Width(); heads*dim != w {
		return nil, fmt.Errorf("%d heads of %d in a row of %d", heads, dim, w)
	}
	if rot > dim || o.In[1].Type.Width() != rot {
		return nil, fmt.Errorf("rot %d, head_dim %d, angles %s", rot, dim, o.In[1].Type)
	}
	return []ir.Type{o.In[0].Type}, nil
}

func inferAttend(o *ir.Op) ([]ir.Type, error) {
	heads, kv, dim := o.Attrs.Int("heads"), o.Attrs.Int("kv_heads"), o.Attrs.Int("head_dim")
	if heads <= 0 || kv <= 0 || heads%kv != 0 {
		return nil, fmt.Errorf("%d heads share %d kv_heads; the first must be a multiple of the second", heads, kv)
	}
	if len(o.Weights) > 0 && o.Weights[0] != nil && o.Attrs.Str("mask") != "causal" {
		return nil, fmt.Errorf("sinks need the causal mask, found %s", o.Attrs.Str("mask"))
	}
	if o.In[1].Type.Rows != o.In[2].Type.Rows || o.In[0].Type.Rows != o.In[1].Type.Rows && o.Attrs.Str("mask") == "causal" {
		return nil, fmt.Errorf("q, k, v are %s, %s, %s; only full attention reads keys of another sequence", o.In[0].Type, o.In[1].Type, o.In[2].Type)
	}
	if b := o.Attrs.Int("buckets"); b != 0 && !checkBuckets(b, o.Attrs.Int("max_distance"), o.Attrs.Str("mask") != "causal") {
		return nil, fmt.Errorf("%d buckets up to a distance of %d", b, o.Attrs.Int("max_distance"))
	}
	for i, w := range []int{heads * dim, kv * dim, kv * dim} {
		if o.In[i].Type.Width() != w {
			return nil, fmt.Errorf("%s is %s, expected a width of %d", []string{"q", "k", "v"}[i], o.In[i].Type, w)
		}
	}
	if err := checkDistances(o); err != nil {
		return nil, err
	}
	if a := o.Attrs.Float("alibi"); a != 0 && (a < 0 || o.Attrs.Bool("alibi_bf16") && o.Attrs.Str("mask") != "causal") {
		return nil, fmt.Errorf("alibi is %v with mask %s, expected a positive number, and a causal mask where biases are rounded", a, o.Attrs.Str("mask"))
	}
	return []ir.Type{{DType: ir.F32, Rows: o.In[0].Type.Rows, Dims: []int{heads * dim}}}, nil
}

func inferKeep(o *ir.Op) ([]ir.Type, error) {
	for _, v := range o.In {
		if w := o.Attrs.Int("kv_heads") * o.Attrs.Int("head_dim"); v.Type.Rows != ir.Source || v.Type.Width() != w {
			return nil, fmt.Errorf("the input is %s, expected rows of the encoder of %d elements", v.Type, w)
		}
	}
	return nil, nil
}

func inferAttendKept(o *ir.Op) ([]ir.Type, error) {
	heads, kv, dim := o.Attrs.Int("heads"), o.Attrs.Int("kv_heads"), o.Attrs.Int("head_dim")
	if heads <= 0 || kv <= 0 || heads%kv != 0 || o.In[0].Type.Width() != heads*dim {
		return nil, fmt.Errorf("%d heads of %d share %d kv_heads in a row of %d", heads, dim, kv, o.In[0].Type.Width())
	}
	return []ir.Type{o.In[0].Type}, wantFloat(o.In[0])
}

func inferSelect(o *ir.Op) ([]ir.Type, error) { return changeRows(o, ir.Selected) }

func inferSequence(o *ir.Op) ([]ir.Type, error) { return changeRows(o, ir.Sequences) }

func changeRows(o *ir.Op, to ir.Rows) ([]ir.Type, error) {
	t := o.In[0].Type
	if t.Rows != ir.Tokens {
		return nil, fmt.Errorf("the input is %s, expected one row a token", t)
	}
	return []ir.Type{{DType: t.DType, Rows: to, Dims: t.Dims}}, nil
}

func wantFloat(v *ir.Value) error {
	if v.Type.DType != ir.F32 {
		return fmt.Errorf("the input is %s, expected f32", v.Type)
	}
	return nil
}
