package op

import (
	"fmt"
	"math"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/runtime/quant"
)

func refEmbed(x *Exec, o *ir.Op) error {
	ids := x.in(o, 0)
	w, err := x.weight(o, 0)
	if err != nil {
		return err
	}
	scale := 1.0
	if _, ok := o.Attrs["scale"]; ok {
		scale = o.Attrs.Float("scale")
	}
	y := x.out(o, 0)
	for i, id := range ids.Data {
		id += float64(o.Attrs.Int("offset"))
		if id < 0 || id >= float64(w.Rows) {
			return fmt.Errorf("%s: id %v in row %d is outside the table of %d rows", o.Pos, id, i, w.Rows)
		}
		for j, v := range w.Row(int(id)) {
			y.Row(i)[j] = v * scale
		}
	}
	return nil
}

func refLinear(x *Exec, o *ir.Op) error {
	w, err := x.weight(o, 0)
	if err != nil {
		return err
	}
	b, err := x.weight(o, 1)
	if err != nil {
		return err
	}
	in, y := x.in(o, 0), x.out(o, 0)
	for j := range w.Rows {
		for r := range in.Rows {
			y.Row(r)[j] = dot(w.Row(j), in.Row(r))
		}
	}
	if b != nil {
		for i := range y.Data {
			y.Data[i] += b.Data[i%y.Width]
		}
	}
	if len(o.In) > 1 {
		for i, v := range x.in(o, 1).Data {
			y.Data[i] += v
		}
	}
	return nil
}

func refQuantize(x *Exec, o *ir.Op) error {
	in, y := x.in(o, 0), x.out(o, 0)
	block := quant.Block
	if o.Attrs.Bool("rows") {
		block = in.Width
	}
	for r := range in.Rows {
		toBits8(y.Row(r), in.Row(r), block)
	}
	return nil
}

// toBits8 rounds blocks of n values to multiples of a 127th of the largest magnitude.
func toBits8(y, x []float64, n int) {
	for at := 0; at < len(x); at += n {
		block := x[at:min(at+n, len(x))]
		top := 0.0
		for _, v := range block {
			top = max(top, math.Abs(v))
		}
		for i, v := range block {
			if top > 0 {
				y[at+i] = math.RoundToEven(v*127/top) * top / 127
			}
		}
	}
}

// dot is the inner product of two vectors of the same length, in four partial sums.
func dot(a, b []float64) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	k := 0
	for ; k+4 <= len(a); k += 4 {
		s0 += a[k] * b[k]
		s1 += a[k+1] * b[k+1]
		s2 += a[k+2] * b[k+2]
		s3 += a[k+3] * b[k+3]
	}
	for ; k < len(a); k++ {
		s0 += a[k] * b[k]
	}
	return s0 + s1 + s2 + s3
}

func refRMSNorm(x *Exec, o *ir.Op) error {
	return normalise(x, o, x.in(o, 0), x.out(o, 0), false)
}

func refLayerNorm(x *Exec, o *ir.Op) error {
	return normalise(x, o, x.in(o, 0), x.out(o, 0), true)
}

func refAddRMSNorm(x *Exec, o *ir.Op) error {
	elementwise(x, o, func(a, b float64) float64 { return a + b })
	return normalise(x, o, x.Values[o.Out[0]], x.out(o, 1), false)
}

func refAddLayerNorm(x *Exec, o *ir.Op) error {
	elementwise(x, o, func(a, b float64) float64 { return a + b })
	return normalise(x, o, x.Values[o.Out[0]], x.out(o, 1), true)
}

// normalise writes the norm of in to y, with the mean subtracted or not, in groups of NormDim elements.
func normalise(x *Exec, o *ir.Op, in, y *Tensor, centre bool) error {
	w, err := x.weight(o, 0)
	if err != nil {
		return err
	}
	var b *Tensor
	if len(o.Weights) > 1 {
		if b, err = x.weight(o, 1); err != nil {
			return err
		}
	}
	dim, eps := NormDim(o), o.Attrs.Float("eps")
	for at := 0; at < len(in.Data); at += dim {
		group, out, first := in.Data[at:at+dim], y.Data[at:at+dim], 0
		if o.Attrs.Bool("each") {
			first = at % in.Width
		}
		mean := 0.0
		if centre {
			for _, v := range group {
				mean += v / float64(dim)
			}
		}
		square := 0.0
		for _, v := range group {
			square += (v - mean) * (v - mean) / float64(dim)
		}
		for i, v := range group {
			out[i] = (v - mean) / math.Sqrt(square+eps) * w.Data[first+i]
			if b != nil {
				out[i] += b.Data[first+i]
			}
		}
	}
	return nil
}

// elementwise writes f(a, b) of the two inputs to result 0.
func elementwise(x *Exec, o *ir.Op, f func(a, b float64) float64) {
	a, b, y := x.in(o, 0), x.in(o, 1), x.out(o, 0)
	for i := range y.Data {
		y.Data[i] = f(a.Data[i], b.Data[i])
	}
}

func refAdd(x *Exec, o *ir.Op) error {
	elementwise(x, o, func(a, b float64) float64 { return a + b })
	return nil
}

func refMul(x *Exec, o *ir.Op) error {
	elementwise(x, o, func(a, b float64) float64 { return a * b })
	return nil
}

func refGain(x *Exec, o *ir.Op) error {
	w, err := x.weight(o, 0)
	if err != nil {
		return err
	}
	in, y := x.in(o, 0), x.out(o, 0)
	for i, v := range in.Data {
		y.Data[i] = w.Data[i%y.Width] * v
	}
	return nil
}

func refGLU(x *Exec, o *ir.Op) error {
	act := activations[o.Attrs.Str("kind")]
	elementwise(x, o, func(gate, up float64) float64 { return act(gate) * up })
	return nil
}

// each writes f(x) of input 0 to result 0.
func each(x *Exec, o *ir.Op, f func(float64) float64) error {
	in, y := x.in(o, 0), x.out(o, 0)
	for i, v := range in.Data {
		y.Data[i] = f(v)
	}
	return nil
}

func refScale(x *Exec, o *ir.Op) error {
	c := o.Attrs.Float("c")
	return each(x, o, func(v float64) float64 { return c * v })
}

func refSoftcap(x *Exec, o *ir.Op) error {
	c := o.Attrs.Float("cap")
	return each(x, o, func(v float64) float64 { return c * math.Tanh(v/c) })
}

func refClamp(x *Exec, o *ir.Op) error {
	low, high := o.Attrs.Float("low"), o.Attrs.Float("high")
	return each(x, o, func(v float64) float64 { return math.Min(math.Max(v, low), high) })
}

func refXIELU(x *Exec, o *ir.Op) error {
	var c [4]float64
	for i := range c {
		w, err := x.weight(o, i)
		if err != nil {
			return err
		}
		c[i] = w.Data[0]
	}
	beta, eps := c[2], c[3]
	p, n := math.Log1p(math.Exp(c[0])), beta+math.Log1p(math.Exp(c[1]))
	return each(x, o, func(v float64) float64 {
		if v > 0 {
			return p*v*v + beta*v
		}
		return n*(math.Expm1(math.Min(v, eps))-v) + beta*v
	})
}

func refAct(x *Exec, o *ir.Op) error { return each(x, o, activations[o.Attrs.Str("kind")]) }

func refSlice(x *Exec, o *ir.Op) error {
	in, y := x.in(o, 0), x.out(o, 0)
	for r := 0; r < in.Rows; r++ {
		copy(y.Row(r), in.Row(r)[o.Attrs.Int("from"):o.Attrs.Int("to")])
	}
	return nil
}

func refConcat(x *Exec, o *ir.Op) error {
	a, b, y := x.in(o, 0), x.in(o, 1), x.out(o, 0)
	for r := range a.Rows {
		copy(y.Row(r)[copy(y.Row(r), a.Row(r)):], b.Row(r))
	}
	return nil
}

func refPositionScale(x *Exec, o *ir.Op) error {
	y := x.out(o, 0)
	for r, p := range x.in(o, 0).Data {
		y.Data[r] = 1 + o.Attrs.Float("beta")*math.Log1p(math.Floor(p/o.Attrs.Float("period")))
	}
	return nil
}

func refSelect(x *Exec, o *ir.Op) error {
	in, y := x.in(o, 0), x.out(o, 0)
	for i, r := range x.Select {
		copy(y.Row(i), in.Row(r))
	}
	return nil
}

func refFirst(x *Exec, o *ir.Op) error {
	in, y := x.in(o, 0), x.out(o, 0)
	for i, s := range x.spans(o.In[0].Type.Rows) {
		copy(y.Row(i), in.Row(s.at))
	}
	return nil
}

func refLast(x *Exec, o *ir.Op) error {
	in, y := x.in(o, 0), x.out(o, 0)
	for i, s := range x.spans(o.In[0].Type.Rows) {
		row := s.at + s.rows - 1
		for r := row; len(o.In) > 1 && r >= s.at; r-- {
			if x.in(o, 1).Data[r] == float64(o.Attrs.Int("id")) {
				row = r
				break
			}
		}
		copy(y.Row(i), in.Row(row))
	}
	return nil
}

func refMean(x *Exec, o *ir.Op) error {
	in, y := x.in(o, 0), x.out(o, 0)
	for i, s := range x.spans(o.In[0].Type.Rows) {
		for r := s.at; r < s.at+s.rows; r++ {
			for j, v := range in.Row(r) {
				y.Row(i)[j] += v / float64(s.rows)
			}
		}
	}
	return nil
}

func refL2Norm(x *Exec, o *ir.Op) error {
	in, y := x.in(o, 0), x.out(o, 0)
	for r := 0; r < in.Rows; r++ {
		square := 0.0
		for _, v := range in.Row(r) {
			square += v * v
		}
		n := math.Max(math.Sqrt(square), 1e-12)
		for j, v := range in.Row(r) {
			y.Row(r)[j] = v / n
		}
	}
	return nil
}
