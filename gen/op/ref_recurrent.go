package op

import (
	"fmt"
	"math"

	"github.com/tfgen/tfgen/gen/ir"
)

// wantWidths checks that inputs are rows of the given widths in the space of the first.
func wantWidths(o *ir.Op, names []string, widths ...int) error {
	for i, w := range widths {
		t := o.In[i].Type
		if t.Width() != w || t.Rows != ir.Tokens || t.DType != ir.F32 {
			return fmt.Errorf("%s is %s, expected f32[N, %d]", names[i], t, w)
		}
	}
	return nil
}

// maxState bounds the elements of a state.
const maxState = 1 << 28

func inferShortConv(o *ir.Op) ([]ir.Type, error) {
	k, t := o.Attrs.Int("kernel"), o.In[0].Type
	if k < 2 || k > 1<<12 || k*t.Width() > maxState {
		return nil, fmt.Errorf("a kernel of %d rows of %s, expected 2 to %d", k, t, 1<<12)
	}
	return []ir.Type{t}, wantWidths(o, []string{"x"}, t.Width())
}

func refShortConv(x *Exec, o *ir.Op) error {
	w, err := x.weight(o, 0)
	if err != nil {
		return err
	}
	b, err := x.weight(o, 1)
	if err != nil {
		return err
	}
	in, y, k := x.in(o, 0), x.out(o, 0), o.Attrs.Int("kernel")
	at := 0
	for i := range x.Segments {
		s := &x.Segments[i]
		tail := fixed(s, o, len(s.Tokens))
		for r := range s.Tokens {
			row := append(append([]float64(nil), tail...), in.Row(at+r)...)
			for c := range in.Width {
				sum := 0.0
				if b != nil {
					sum = b.Data[c]
				}
				for j := range k {
					sum += w.Row(c)[j] * row[j*in.Width+c]
				}
				y.Row(at + r)[c] = sum
			}
			copy(tail, row[in.Width:])
		}
		at += len(s.Tokens)
	}
	return nil
}

func inferSelectiveScan(o *ir.Op) ([]ir.Type, error) {
	heads, groups, n, t := o.Attrs.Int("heads"), o.Attrs.Int("groups"), o.Attrs.Int("state_size"), o.In[0].Type
	switch {
	case heads < 1 || t.Width()%max(heads, 1) != 0:
		return nil, fmt.Errorf("%d heads of %s", heads, t)
	case groups < 1 || heads%groups != 0:
		return nil, fmt.Errorf("%d groups of %d heads", groups, heads)
	case n < 1 || n > maxState/t.Width():
		return nil, fmt.Errorf("a state of %d elements for each channel", n)
	case o.Attrs.Float("low") < 0 || o.Attrs.Float("high") < 0:
		return nil, fmt.Errorf("dt is bounded to %v … %v", o.Attrs.Float("low"), o.Attrs.Float("high"))
	}
	return []ir.Type{t}, wantWidths(o, []string{"x", "step", "B", "C"}, t.Width(), heads, groups*n, groups*n)
}

func refSelectiveScan(x *Exec, o *ir.Op) error {
	a, err := x.weight(o, 0)
	if err != nil {
		return err
	}
	d, err := x.weight(o, 1)
	if err != nil {
		return err
	}
	bias, err := x.weight(o, 2)
	if err != nil {
		return err
	}
	in, step, b, c, y := x.in(o, 0), x.in(o, 1), x.in(o, 2), x.in(o, 3), x.out(o, 0)
	heads, n := o.Attrs.Int("heads"), o.Attrs.Int("state_size")
	dim, share := in.Width/heads, heads/max(o.Attrs.Int("groups"), 1)
	at := 0
	for i := range x.Segments {
		s := &x.Segments[i]
		state := fixed(s, o, len(s.Tokens))
		for r := at; r < at+len(s.Tokens); r++ {
			for h := range heads {
				dt := step.Row(r)[h]
				if bias != nil {
					dt += bias.Data[h]
				}
				dt = clampStep(softplus(dt), o.Attrs)
				for p := h * dim; p < (h+1)*dim; p++ {
					v, sum := in.Row(r)[p], d.Data[h]*in.Row(r)[p]
					for j := range n {
						decay := a.Data[h*len(a.Data)/heads+j%(len(a.Data)/heads)]
						k := h/share*n + j
						state[p*n+j] = math.Exp(dt*decay)*state[p*n+j] + dt*v*b.Row(r)[k]
						sum += state[p*n+j] * c.Row(r)[k]
					}
					y.Row(r)[p] = sum
				}
			}
		}
		at += len(s.Tokens)
	}
	return nil
}

func softplus(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

func clampStep(dt float64, a ir.Attrs) float64 {
	dt = math.Max(dt, a.Float("low"))
	if high := a.Float("high"); high > 0 {
		dt = math.Min(dt, high)
	}
	return dt
}
