package op

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/ir"
)

// stateSpaceRow are linear systems that do not depend on the input, one for each channel.
var stateSpaceRow = Row{
	Kind: "state_space", Doc: "s = λ ⊙ s + b x - Σ low (read · s), y = out · s + d x for each channel: a discrete linear system with a diagonal or diagonal plus low-rank matrix, complex, of which conjugates are left out; the state is s (Gu et al. 2022, S4 and S4D)",
	In: []string{"x"}, State: "system", Size: func(o *ir.Op) int { return 2 * o.In[0].Type.Width() * o.Attrs.Int("state_size") },
	Weights: []Role{
		{Name: "system", Shape: func(o *ir.Op) []int { // for each channel: λ; b with a low rank, else it is 1; out; low and read of each rank
			return []int{o.In[0].Type.Width() * systemRows(o), 2 * o.Attrs.Int("state_size")}
		}},
		{Name: "d", Optional: true, Shape: shapeWidth},
	},
	Attrs: []Attr{
		{Name: "state_size", Kind: "int", Doc: "complex numbers in the state of a channel; real parts come before imaginary ones"},
		{Name: "rank", Kind: "int", Default: 0, Doc: "rank of what is subtracted from the diagonal"},
	},
	Infer: inferStateSpace, Ref: refStateSpace,
}

// MaxSystemRank is the largest rank of the low-rank part.
const MaxSystemRank = 8

// systemRows is the number of rows that describe a channel.
func systemRows(o *ir.Op) int { return (&ir.System{Rank: o.Attrs.Int("rank")}).Rows() }

func inferStateSpace(o *ir.Op) ([]ir.Type, error) {
	n, rank, t := o.Attrs.Int("state_size"), o.Attrs.Int("rank"), o.In[0].Type
	if n < 1 || rank < 0 || rank > MaxSystemRank || n > maxState/t.Width()/(3+2*n) {
		return nil, fmt.Errorf("%d complex numbers for each of %d channels, rank %d; at most %d is supported", n, t.Width(), rank, MaxSystemRank)
	}
	return []ir.Type{t}, wantWidths(o, []string{"x"}, t.Width())
}

func refStateSpace(x *Exec, o *ir.Op) error {
	system, err := x.weight(o, 0)
	if err != nil {
		return err
	}
	d, err := x.weight(o, 1)
	if err != nil {
		return err
	}
	in, y := x.in(o, 0), x.out(o, 0)
	n, rank, rows := o.Attrs.Int("state_size"), o.Attrs.Int("rank"), systemRows(o)
	eachRow(x, o, func(r int, _ bool, state []float64) {
		for c := range in.Width {
			u, s := in.Row(r)[c], state[2*n*c:][:2*n]
			row := func(i int) []float64 { return system.Row(rows*c + i) }
			out, taken := row(1), make([]float64, rank)
			for k := range rank {
				out, taken[k] = row(2), dot(row(3+rank+k), s)
			}
			for i := range n {
				re, im := s[i], s[n+i]
				s[i], s[n+i] = row(0)[i]*re-row(0)[n+i]*im, row(0)[i]*im+row(0)[n+i]*re
				if rank == 0 {
					s[i] += u
				} else {
					s[i], s[n+i] = s[i]+row(1)[i]*u, s[n+i]+row(1)[n+i]*u
				}
				for k, g := range taken {
					s[i], s[n+i] = s[i]-row(3 + k)[i]*g, s[n+i]-row(3 + k)[n+i]*g
				}
			}
			y.Row(r)[c] = dot(out, s)
			if d != nil {
				y.Row(r)[c] += d.Data[c] * u
			}
		}
	})
	return nil
}
