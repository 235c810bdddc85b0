package op

import (
	"fmt"
	"math"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/runtime/quant"
)

func inferRoute(o *ir.Op) ([]ir.Type, error) {
	t := o.In[0].Type
	experts, top := t.Width(), o.Attrs.Int("top")
	groups, chosen := max(o.Attrs.Int("groups"), 1), max(o.Attrs.Int("top_groups"), 1)
	switch {
	case experts > MaxExperts:
		return nil, fmt.Errorf("%d experts, at most %d are supported", experts, MaxExperts)
	case experts%groups != 0 || chosen > groups:
		return nil, fmt.Errorf("%d of %d groups of %d experts", chosen, groups, experts)
	case o.Attrs.Str("group_score") == "top2" && experts/groups < 2:
		return nil, fmt.Errorf("groups of %d experts have no two best", experts/groups)
	case top < 1 || top > experts/groups*chosen:
		return nil, fmt.Errorf("the best %d of %d experts", top, experts/groups*chosen)
	}
	return []ir.Type{{DType: ir.F32, Rows: t.Rows, Dims: []int{2 * top}}}, wantFloat(o.In[0])
}

// wantRoutes checks the second input.
func wantRoutes(o *ir.Op) error {
	r := o.In[1].Type
	if r.Rows != o.In[0].Type.Rows || r.Width()%2 != 0 || r.Width() == 0 {
		return fmt.Errorf("the routes are %s, expected the result of route for the rows of %s", r, o.In[0].Type)
	}
	return wantFloat(o.In[0])
}

func inferExpertLinear(o *ir.Op) ([]ir.Type, error) {
	if err := wantRoutes(o); err != nil {
		return nil, err
	}
	experts, dim, top, t := o.Attrs.Int("experts"), o.Attrs.Int("dim"), Choices(o), o.In[0].Type
	if dim < 1 || experts < top || experts > MaxExperts {
		return nil, fmt.Errorf("%d outputs of %d of %d experts (at most %d are supported)", dim, top, experts, MaxExperts)
	}
	if o.Attrs.Bool("parts") && t.Width()%top != 0 {
		return nil, fmt.Errorf("%s has no %d equal parts", t, top)
	}
	return []ir.Type{{DType: ir.F32, Rows: t.Rows, Dims: []int{top * dim}}}, nil
}

func inferCombine(o *ir.Op) ([]ir.Type, error) {
	if err := wantRoutes(o); err != nil {
		return nil, err
	}
	t := o.In[0].Type
	if t.Width()%Choices(o) != 0 {
		return nil, fmt.Errorf("%s has no %d equal parts", t, Choices(o))
	}
	return []ir.Type{{DType: ir.F32, Rows: t.Rows, Dims: []int{t.Width() / Choices(o)}}}, nil
}

func inferHeadLinear(o *ir.Op) ([]ir.Type, error) {
	heads, dim, t := o.Attrs.Int("heads"), o.Attrs.Int("dim"), o.In[0].Type
	if heads < 1 || dim < 1 || t.Width()%heads != 0 {
		return nil, fmt.Errorf("%d heads with %d outputs each of %s", heads, dim, t)
	}
	return []ir.Type{{DType: ir.F32, Rows: t.Rows, Dims: []int{heads * dim}}}, wantFloat(o.In[0])
}

func inferScaleRows(o *ir.Op) ([]ir.Type, error) {
	x, s := o.In[0].Type, o.In[1].Type
	if s.Width() != 1 || s.Rows != x.Rows || s.DType != ir.F32 {
		return nil, fmt.Errorf("the factors are %s, expected one for each row of %s", s, x)
	}
	return []ir.Type{x}, wantFloat(o.In[0])
}

func refRoute(x *Exec, o *ir.Op) error {
	correction, err := x.weight(o, 0)
	if err != nil {
		return err
	}
	in, y, top := x.in(o, 0), x.out(o, 0), o.Attrs.Int("top")
	for r := range in.Rows {
		logits, out := in.Row(r), y.Row(r)
		scores := routeScores(o.Attrs.Str("score"), logits)
		choice := append([]float64(nil), scores...)
		if correction != nil {
			for i, c := range correction.Data {
				choice[i] += c
			}
		}
		limitGroups(o.Attrs, choice)
		sum := 0.0
		for j, e := range best(choice, top) {
			out[j], out[top+j] = float64(e), scores[e]
			sum += scores[e]
		}
		weigh(o.Attrs, logits, out[:top], out[top:], sum)
	}
	return nil
}

// routeScores are the scores by which experts are chosen.
func routeScores(kind string, logits []float64) []float64 {
	s := append([]float64(nil), logits...)
	switch kind {
	case "sigmoid":
		for i, v := range s {
			s[i] = 1 / (1 + math.Exp(-v))
		}
	case "", "softmax":
		softmax(s)
	}
	return s
}

func softmax(s []float64) {
	top, sum := math.Inf(-1), 0.0
	for _, v := range s {
		top = math.Max(top, v)
	}
	for i, v := range s {
		s[i] = math.Exp(v - top)
		sum += s[i]
	}
	for i := range s {
		s[i] /= sum
	}
}

// best returns the indices of the n largest values, largest first; of equal ones the first.
func best(values []float64, n int) []int {
	v := append([]float64(nil), values...)
	var out []int
	for range n {
		at := -1
		for i, x := range v {
			if !math.IsNaN(x) && (at < 0 || x > v[at]) {
				at = i
			}
		}
		out = append(out, max(at, 0))
		v[max(at, 0)] = math.NaN()
	}
	return out
}

// limitGroups excludes the experts outside the best groups.
func limitGroups(a ir.Attrs, choice []float64) {
	groups, chosen := a.Int("groups"), a.Int("top_groups")
	if groups <= 1 || chosen >= groups {
		return
	}
	size := len(choice) / groups
	score := make([]float64, groups)
	for g := range score {
		part := choice[g*size : (g+1)*size]
		n := 1
		if a.Str("group_score") == "top2" {
			n = 2
		}
		for _, e := range best(part, n) {
			score[g] += part[e]
		}
	}
	keep := map[int]bool{}
	for _, g := range best(score, chosen) {
		keep[g] = true
	}
	for i := range choice {
		if !keep[i/size] {
			choice[i] = math.Inf(-1)
		}
	}
}

// weigh turns the scores of the chosen experts, whose sum is given, into their weights.
func weigh(a ir.Attrs, logits, chosen, w []float64, sum float64) {
	if a.Str("score") == "chosen" {
		for j, e := range chosen {
			w[j] = logits[int(e)]
		}
		softmax(w)
	}
	scale := 1.0
	if _, ok := a["scale"]; ok {
		scale = a.Float("scale")
	}
	if a.Bool("normalise") && a.Str("score") != "chosen" {
		scale /= sum + a.Float("eps")
	}
	for j := range w {
		w[j] *= scale
	}
}

func refExpertLinear(x *Exec, o *ir.Op) error {
	w, err := x.weight(o, 0)
	if err != nil {
		return err
	}
	b, err := x.weight(o, 1)
	if err != nil {
		return err
	}
	in, routes, y := x.in(o, 0), x.in(o, 1), x.out(o, 0)
	top, dim, k := Choices(o), o.Attrs.Int("dim"), w.Width
	for r := range in.Rows {
		for c := range top {
			part := in.Row(r)
			if o.Attrs.Bool("parts") {
				part = part[c*k : (c+1)*k]
			}
			part = inputOf(o.Weights[0], part)
			first := int(routes.Row(r)[c]) * dim
			for j := range dim {
				sum := dot(w.Row(first+j), part)
				if b != nil {
					sum += b.Data[first+j]
				}
				y.Row(r)[c*dim+j] = sum
			}
		}
	}
	return nil
}

func refCombine(x *Exec, o *ir.Op) error {
	in, routes, y, top := x.in(o, 0), x.in(o, 1), x.out(o, 0), Choices(o)
	for r := range in.Rows {
		for c := range top {
			for j := range y.Width {
				y.Row(r)[j] += routes.Row(r)[top+c] * in.Row(r)[c*y.Width+j]
			}
		}
	}
	return nil
}

func refHeadLinear(x *Exec, o *ir.Op) error {
	w, err := x.weight(o, 0)
	if err != nil {
		return err
	}
	b, err := x.weight(o, 1)
	if err != nil {
		return err
	}
	in, y, dim := x.in(o, 0), x.out(o, 0), o.Attrs.Int("dim")
	for r := range in.Rows {
		var part []float64
		for j := range y.Width {
			if j%dim == 0 {
				part = inputOf(o.Weights[0], in.Row(r)[j/dim*w.Width:][:w.Width])
			}
			y.Row(r)[j] = dot(w.Row(j), part)
			if b != nil {
				y.Row(r)[j] += b.Data[j]
			}
		}
	}
	return nil
}

// inputOf returns what a grouped product makes of its input: it brings it to 8 bits itself when the weights are quantised.
func inputOf(w *ir.Weight, x []float64) []float64 {
	if !quant.Known(w.Format) {
		return x
	}
	y := make([]float64, len(x))
	toBits8(y, x, quant.Block)
	return y
}

func refScaleRows(x *Exec, o *ir.Op) error {
	in, s, y := x.in(o, 0), x.in(o, 1), x.out(o, 0)
	for i, v := range in.Data {
		y.Data[i] = v * s.Data[i/in.Width]
	}
	return nil
}
