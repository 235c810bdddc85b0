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
	case o.Attrs.Str("decay") == "state" && (heads != t.Width() || groups != 1):
		return nil, fmt.Errorf("decays of state elements need heads of one channel and one group, found %d heads of %s in %d groups", heads, t, groups)
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

// eachRow calls f for every row of the run, with the memory of its sequence.
func eachRow(x *Exec, o *ir.Op, f func(row int, first bool, state []float64)) {
	at := 0
	for i := range x.Segments {
		s := &x.Segments[i]
		state := fixed(s, o, len(s.Tokens))
		for r := range s.Tokens {
			f(at+r, s.Pos+r == 0, state)
		}
		at += len(s.Tokens)
	}
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func inferRGLRU(o *ir.Op) ([]ir.Type, error) {
	t := o.In[0].Type
	return []ir.Type{t}, wantWidths(o, []string{"x", "input", "recurrence"}, t.Width(), t.Width(), t.Width())
}

func refRGLRU(x *Exec, o *ir.Op) error {
	decay, err := x.weight(o, 0)
	if err != nil {
		return err
	}
	in, gate, recurrence, y := x.in(o, 0), x.in(o, 1), x.in(o, 2), x.out(o, 0)
	eachRow(x, o, func(r int, first bool, h []float64) {
		for c := range h {
			a := math.Exp(decay.Data[c] * sigmoid(recurrence.Row(r)[c]))
			v := sigmoid(gate.Row(r)[c]) * in.Row(r)[c]
			if !first {
				v = a*h[c] + math.Sqrt(1-a*a)*v
			}
			h[c], y.Row(r)[c] = v, v
		}
	})
	return nil
}

func refShift(x *Exec, o *ir.Op) error {
	in, y := x.in(o, 0), x.out(o, 0)
	eachRow(x, o, func(r int, _ bool, last []float64) {
		copy(y.Row(r), last)
		copy(last, in.Row(r))
	})
	return nil
}

func refLerp(x *Exec, o *ir.Op) error {
	w, err := x.weight(o, 0)
	if err != nil {
		return err
	}
	a, b, y := x.in(o, 0), x.in(o, 1), x.out(o, 0)
	for i := range y.Data {
		f := w.Data[i%y.Width]
		y.Data[i] = f*a.Data[i] + (1-f)*b.Data[i]
	}
	return nil
}

func refWKV(x *Exec, o *ir.Op) error {
	decay, err := x.weight(o, 0)
	if err != nil {
		return err
	}
	bonus, err := x.weight(o, 1)
	if err != nil {
		return err
	}
	keys, values, y := x.in(o, 0), x.in(o, 1), x.out(o, 0)
	d := y.Width
	eachRow(x, o, func(r int, first bool, state []float64) {
		for c := range d {
			num, den, top := &state[c], &state[d+c], &state[2*d+c]
			if first {
				*top = -1e30
			}
			k, v := keys.Row(r)[c], values.Row(r)[c]
			m := math.Max(*top, k+bonus.Data[c])
			e1, e2 := math.Exp(*top-m), math.Exp(k+bonus.Data[c]-m)
			y.Row(r)[c] = (e1**num + e2*v) / (e1**den + e2)
			m = math.Max(*top+decay.Data[c], k)
			e1, e2 = math.Exp(*top+decay.Data[c]-m), math.Exp(k-m)
			*num, *den, *top = e1**num+e2*v, e1**den+e2, m
		}
	})
	return nil
}

// MaxHeadDim bounds the width of a head of a recurrence, whose rows are kept on the stack.
const MaxHeadDim = 1024

func inferDeltaRule(o *ir.Op) ([]ir.Type, error) {
	heads, keyHeads, k, v := o.Attrs.Int("heads"), o.Attrs.Int("key_heads"), o.In[0].Type.Width(), o.In[2].Type.Width()
	if heads < 1 || keyHeads < 1 || heads%keyHeads != 0 || k%keyHeads != 0 || v%heads != 0 {
		return nil, fmt.Errorf("%d heads of %s and %d key_heads of %s", heads, o.In[2].Type, keyHeads, o.In[0].Type)
	}
	if k/keyHeads > MaxHeadDim || v/heads > MaxHeadDim {
		return nil, fmt.Errorf("heads of %d and %d, at most %d is supported", k/keyHeads, v/heads, MaxHeadDim)
	}
	return []ir.Type{o.In[2].Type}, wantWidths(o, []string{"q", "k", "v", "step", "beta"}, k, k, v, heads, heads)
}

// unit divides a vector by its length.
func unit(x []float64, eps float64) []float64 {
	n := 1 / math.Sqrt(dot(x, x)+eps)
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = v * n
	}
	return y
}

func refDeltaRule(x *Exec, o *ir.Op) error {
	a, err := x.weight(o, 0)
	if err != nil {
		return err
	}
	bias, err := x.weight(o, 1)
	if err != nil {
		return err
	}
	qs, ks, vs, step, beta, y := x.in(o, 0), x.in(o, 1), x.in(o, 2), x.in(o, 3), x.in(o, 4), x.out(o, 0)
	heads, keyHeads, eps := o.Attrs.Int("heads"), o.Attrs.Int("key_heads"), o.Attrs.Float("eps")
	dk, dv := qs.Width/keyHeads, vs.Width/heads
	eachRow(x, o, func(r int, _ bool, state []float64) {
		for h := range heads {
			g := h / (heads / keyHeads) * dk
			q, k, v := unit(qs.Row(r)[g:g+dk], eps), unit(ks.Row(r)[g:g+dk], eps), vs.Row(r)[h*dv:(h+1)*dv]
			s := state[h*dk*dv : (h+1)*dk*dv]
			alpha := math.Exp(a.Data[h] * softplus(step.Row(r)[h]+bias.Data[h]))
			for i := range s {
				s[i] *= alpha
			}
			for j := range dv {
				mem, sum := 0.0, 0.0
				for i := range dk {
					mem += s[i*dv+j] * k[i]
				}
				delta := (v[j] - mem) * sigmoid(beta.Row(r)[h])
				for i := range dk {
					s[i*dv+j] += k[i] * delta
					sum += s[i*dv+j] * q[i]
				}
				y.Row(r)[h*dv+j] = sum / math.Sqrt(float64(dk))
			}
		}
	})
	return nil
}

func inferLinearAttention(o *ir.Op) ([]ir.Type, error) {
	heads, shared, k, v := o.Attrs.Int("heads"), o.Attrs.Int("key_heads"), o.In[0].Type.Width(), o.In[2].Type.Width()
	kind := o.Attrs.Str("w")
	switch {
	case heads < 1 || shared < 1 || heads%shared != 0 || k%heads != 0 || v%shared != 0:
		return nil, fmt.Errorf("%d heads of %s and %d key_heads of %s", heads, o.In[0].Type, shared, o.In[2].Type)
	case k/heads > MaxHeadDim || v/shared > MaxHeadDim:
		return nil, fmt.Errorf("heads of %d and %d, at most %d is supported", k/heads, v/shared, MaxHeadDim)
	case (kind == "rate") != (len(o.In) > 3):
		return nil, fmt.Errorf("w is %q: the input rate and w: rate stand together", kind)
	}
	want := []int{k, k / heads * shared, v, k}
	if err := wantWidths(o, []string{"q", "k", "v", "rate"}[:len(o.In)], want[:len(o.In)]...); err != nil {
		return nil, err
	}
	return []ir.Type{{DType: ir.F32, Rows: o.In[0].Type.Rows, Dims: []int{v / shared * heads}}}, nil
}

func refLinearAttention(x *Exec, o *ir.Op) error {
	decay, err := x.weight(o, 0)
	if err != nil {
		return err
	}
	bonus, err := x.weight(o, 1)
	if err != nil {
		return err
	}
	qs, ks, vs, y := x.in(o, 0), x.in(o, 1), x.in(o, 2), x.out(o, 0)
	heads, shared := o.Attrs.Int("heads"), o.Attrs.Int("key_heads")
	dk, dv := qs.Width/heads, vs.Width/shared
	eachRow(x, o, func(r int, _ bool, state []float64) {
		for h := range heads {
			g := h / (heads / shared)
			q, k, v, s := qs.Row(r)[h*dk:][:dk], ks.Row(r)[g*dk:][:dk], vs.Row(r)[g*dv:][:dv], state[h*dk*dv:][:dk*dv]
			for j := range dv {
				sum := 0.0
				for i := range dk {
					kv, before := k[i]*v[j], s[i*dv+j]
					s[i*dv+j] = keepFactor(x, o, decay, r, h, h*dk+i)*before + kv
					if bonus != nil {
						sum += q[i] * (before + bonus.Data[h*dk+i]*kv)
					} else {
						sum += q[i] * s[i*dv+j]
					}
				}
				y.Row(r)[h*dv+j] = sum * o.Attrs.Float("scale")
			}
		}
	})
	return nil
}

// keepFactor is the factor of linear attention by which row i of all heads, one of head h, decays at token r.
func keepFactor(x *Exec, o *ir.Op, decay *Tensor, r, h, i int) float64 {
	switch kind := o.Attrs.Str("w"); {
	case kind == "retention":
		return 1 - math.Exp2(float64(-5-h))
	case kind == "rate":
		return math.Exp(-math.Exp(x.in(o, 3).Row(r)[i]))
	case decay != nil:
		return decay.Data[i]
	}
	return 1
}

func inferMLSTM(o *ir.Op) ([]ir.Type, error) {
	heads, k, v := o.Attrs.Int("heads"), o.In[0].Type.Width(), o.In[2].Type.Width()
	if heads < 1 || k%heads != 0 || v%heads != 0 {
		return nil, fmt.Errorf("%d heads of %s and %s", heads, o.In[0].Type, o.In[2].Type)
	}
	if k/heads*(v/heads) > maxState/heads {
		return nil, fmt.Errorf("a state of %d × %d for each head", k/heads, v/heads)
	}
	return []ir.Type{o.In[2].Type}, wantWidths(o, []string{"q", "k", "v", "input", "forget"}, k, k, v, heads, heads)
}

func refMLSTM(x *Exec, o *ir.Op) error {
	qs, ks, vs, input, forget, y := x.in(o, 0), x.in(o, 1), x.in(o, 2), x.in(o, 3), x.in(o, 4), x.out(o, 0)
	heads := o.Attrs.Int("heads")
	dk, dv := qs.Width/heads, vs.Width/heads
	size := dk*dv + dk + 1
	eachRow(x, o, func(r int, _ bool, state []float64) {
		for h := range heads {
			c, n, m := state[h*size:][:dk*dv], state[h*size+dk*dv:][:dk], &state[(h+1)*size-1]
			q, k, v := qs.Row(r)[h*dk:][:dk], ks.Row(r)[h*dk:][:dk], vs.Row(r)[h*dv:][:dv]
			keep, i := -softplus(-forget.Row(r)[h])+*m, input.Row(r)[h]
			top := math.Max(keep, i)
			f, in := math.Exp(keep-top), math.Exp(i-top)
			*m = top
			norm := 0.0
			for a := range dk {
				n[a] = f*n[a] + in*k[a]
				norm += n[a] * q[a]
			}
			scale := 1 / math.Sqrt(float64(dk))
			norm = math.Max(math.Abs(norm*scale), math.Exp(-top)) + o.Attrs.Float("eps")
			for b := range dv {
				sum := 0.0
				for a := range dk {
					c[a*dv+b] = f*c[a*dv+b] + in*k[a]*v[b]
					sum += c[a*dv+b] * q[a]
				}
				y.Row(r)[h*dv+b] = sum * scale / norm
			}
		}
	})
	return nil
}
