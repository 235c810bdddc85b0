package weights

import (
	"errors"
	"fmt"
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/tfgen/tfgen/gen/ir"
)

// The step state_space makes the linear systems of state-space models discrete (Gu et al. 2022, S4 and S4D; state-spaces/s4
// src/models/sequence/kernels/ssm.py), in float64. Complex numbers and vectors of N stand as N real parts, then N imaginary ones.

// maxSystem bounds the size of a system, whose matrix is needed where outputs were multiplied for a length.
const maxSystem = 1 << 10

func dimsSystem(s ir.Step, rows, cols int) (int, int, error) {
	sys := s.System
	switch {
	case sys.Channels < 1 || rows < 1 || sys.Channels%rows != 0:
		return 0, 0, fmt.Errorf("%d channels share %d systems", sys.Channels, rows)
	case cols != sys.Size || cols < 1 || cols > maxSystem:
		return 0, 0, fmt.Errorf("%d real and %d imaginary parts, expected as many, and at most %d", cols, sys.Size, maxSystem)
	case sys.Rule != "zoh" && sys.Rule != "bilinear":
		return 0, 0, fmt.Errorf("the rule %q, expected zoh or bilinear", sys.Rule)
	case (sys.Low != "") != (sys.Rank > 0):
		return 0, 0, fmt.Errorf("a low-rank part of rank %d", sys.Rank)
	}
	for _, t := range []string{sys.OfStep, sys.OfReal, sys.OfImag} {
		if transforms[t] == nil {
			return 0, 0, fmt.Errorf("the transform %q, expected exp, softplus, relu, sigmoid or none", t)
		}
	}
	return sys.Channels * sys.Rows(), 2 * cols, nil
}

// transforms are the functions by which such models keep parameters positive.
var transforms = map[string]func(float64) float64{
	"none":     func(x float64) float64 { return x },
	"exp":      math.Exp,
	"relu":     func(x float64) float64 { return math.Max(x, 0) + 1e-4 },
	"sigmoid":  func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
	"softplus": func(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) },
}

// readSystem reads rows of the descriptions of channels: poles, inputs (low rank only), outputs, then for each rank the vector
// that is taken from the state, and for each rank the one that says how much.
func readSystem(p *part, s int, r rect, dst []float32) error {
	sys := p.spec.Steps[s].System
	all, err := p.parameters(s)
	if err != nil {
		return err
	}
	n := sys.Rows()
	for h := r.row / n; h <= (r.row+r.rows-1)/n; h++ {
		list, err := all.channel(h)
		if err != nil {
			return fmt.Errorf("channel %d: %w", h, err)
		}
		for i, row := range list {
			if at := h*n + i - r.row; at >= 0 && at < r.rows {
				for j := range r.cols {
					dst[at*r.cols+j] = float32(row[r.col+j])
				}
			}
		}
	}
	return nil
}

// parameters are the stored numbers of all channels.
type parameters struct {
	*ir.System
	shared                  int // systems that channels share
	step, re, im, b, c, low []float32
	length                  int
}

func (p *part) parameters(s int) (all *parameters, err error) {
	sys := p.spec.Steps[s].System
	shared, n := p.dims[s][0], sys.Size
	all = &parameters{System: sys, shared: shared, re: make([]float32, shared*n)}
	if err := p.read(s, rect{0, shared, 0, n}, all.re); err != nil {
		return nil, err
	}
	steps := sys.Channels
	if t, ok := p.src.Tensor(sys.Step); ok && len(t.Shape) == 2 && t.Shape[1] != 1 {
		steps *= n
	}
	var length []float32
	for _, x := range []struct {
		to   *[]float32
		name string
		n    int
	}{{&all.step, sys.Step, steps}, {&all.im, sys.Imag, shared * n}, {&all.b, sys.B, 2 * shared * n}, {&all.c, sys.C, 2 * sys.Channels * n},
		{&all.low, sys.Low, 2 * sys.Rank * shared * n}, {&length, sys.Length, 1}} {
		if x.name == "" {
			continue
		}
		if *x.to, err = p.whole(x.name, x.n); err != nil {
			return nil, err
		}
	}
	if len(length) > 0 {
		all.length = int(length[0])
	}
	if all.length < 0 || all.length > 1<<30 {
		return nil, fmt.Errorf("tensor %s: a length of %v", sys.Length, length[0])
	}
	return all, nil
}

// pair returns element i of complex numbers that are stored as pairs.
func pair(x []float32, i int) complex128 { return complex(float64(x[2*i]), float64(x[2*i+1])) }

// channel computes the rows that describe channel h.
func (a *parameters) channel(h int) ([][]float64, error) {
	n, at := a.Size, h%a.shared*a.Size
	poles, in, out, dt := make([]complex128, n), make([]complex128, n), make([]complex128, n), make([]complex128, n)
	for i := range n {
		poles[i] = complex(-transforms[a.OfReal](float64(a.re[at+i])), a.Sign*transforms[a.OfImag](float64(a.im[at+i])))
		dt[i] = complex(transforms[a.OfStep](float64(a.step[(h*n+i)*len(a.step)/(a.Channels*n)])), 0)
		in[i], out[i] = 1, pair(a.c, h*n+i)
		if a.b != nil {
			in[i] = pair(a.b, at+i)
		}
	}
	if a.Rank > 0 {
		return a.lowRank(h, poles, dt, in, out)
	}
	for i, p := range poles {
		var gain complex128
		if x := dt[i] * p; a.Rule == "bilinear" {
			poles[i], gain = (1+x/2)/(1-x/2), dt[i]/(1-x/2)
		} else {
			poles[i], gain = cmplx.Exp(x), dt[i]
			if p != 0 {
				gain = (poles[i] - 1) / p
			}
		}
		out[i] *= in[i] * gain
	}
	return [][]float64{vector(poles), covector(out)}, nil
}

// vector is a complex vector as real numbers, covector what gives its sum with conjugates: x ↦ 2·Re Σ v x.
func vector(v []complex128) []float64 {
	x := make([]float64, 2*len(v))
	for i, c := range v {
		x[i], x[len(v)+i] = real(c), imag(c)
	}
	return x
}

func covector(v []complex128) []float64 {
	x := vector(v)
	for i := range v {
		x[i], x[len(v)+i] = 2*x[i], -2*x[len(v)+i]
	}
	return x
}

// with is 2·Re Σ a b, the product of two vectors whose conjugates are left out.
func with(a, b []complex128) (sum float64) {
	for i := range a {
		sum += 2 * real(a[i]*b[i])
	}
	return sum
}

// times is the product element by element.
func times(a, b []complex128) []complex128 {
	c := make([]complex128, len(a))
	for i := range a {
		c[i] = a[i] * b[i]
	}
	return c
}

// lowRank makes x' = (Λ - p p*) x + b u discrete by the bilinear rule, in the form s = poles ⊙ s + in u - Σ low (read · s). With
// d = 1/(2/Δ - Λ), e = 2/Δ + Λ, q = p̄ and R = (1 + q d p)⁻¹ (q d) the step of the reference is t = e s - p (q s) + 2 b u,
// s = d (t - p (R t)).
func (a *parameters) lowRank(h int, poles, dt, in, out []complex128) ([][]float64, error) {
	n, rank := a.Size, a.Rank
	d, e, twice := make([]complex128, n), make([]complex128, n), make([]complex128, n)
	for i, p := range poles {
		d[i], e[i], twice[i] = 1/(2/dt[i]-p), 2/dt[i]+p, 2*in[i]
	}
	p, q, r := make([][]complex128, rank), make([][]complex128, rank), make([][]complex128, rank)
	for k := range rank {
		p[k], q[k] = make([]complex128, n), make([]complex128, n)
		for i := range n {
			p[k][i] = pair(a.low, (k*a.shared+h%a.shared)*n+i)
			q[k][i] = cmplx.Conj(p[k][i])
		}
	}
	within, inverse := mat.NewDense(rank, rank, nil), mat.NewDense(rank, rank, nil)
	for k := range rank {
		for l := range rank {
			within.Set(k, l, with(times(q[k], d), p[l]))
		}
		within.Set(k, k, 1+within.At(k, k))
	}
	if err := inverse.Inverse(within); usable(err) != nil {
		return nil, err
	}
	for k := range rank {
		r[k] = make([]complex128, n)
		for l := range rank {
			for i, v := range times(q[l], d) {
				r[k][i] += complex(inverse.At(k, l), 0) * v
			}
		}
	}
	s := &system{poles: times(d, e), in: times(d, twice)}
	for k := range rank {
		low, read, beta := times(d, p[k]), times(r[k], e), with(r[k], twice)
		for i := range n {
			s.in[i] -= low[i] * complex(beta, 0)
			read[i] += q[k][i]
			for l := range rank {
				read[i] -= complex(with(r[k], p[l]), 0) * q[l][i]
			}
		}
		s.low, s.read = append(s.low, vector(low)), append(s.read, covector(read))
	}
	c := covector(out)
	if err := s.undo(c, a.length); err != nil {
		return nil, err
	}
	rows := [][]float64{vector(s.poles), vector(s.in), c}
	return append(append(rows, s.low...), s.read...), nil
}

// system is a discrete system with a low-rank part.
type system struct {
	poles, in []complex128
	low, read [][]float64
}

// usable is the error of a solution, unless it only says that the matrix is ill-conditioned.
func usable(err error) error {
	var c mat.Condition
	if errors.As(err, &c) && !math.IsInf(float64(c), 1) {
		return nil
	}
	return err
}

// undo solves c = x (1 - A^length) for outputs x, which replace c. Length 0 leaves c.
func (s *system) undo(c []float64, length int) error {
	if length == 0 {
		return nil
	}
	n := len(s.poles)
	a := mat.NewDense(2*n, 2*n, nil)
	for j, p := range s.poles {
		a.Set(j, j, real(p))
		a.Set(n+j, j, imag(p))
		a.Set(j, n+j, -imag(p))
		a.Set(n+j, n+j, real(p))
	}
	for k, low := range s.low {
		for i, v := range low {
			for j, w := range s.read[k] {
				a.Set(i, j, a.At(i, j)-v*w)
			}
		}
	}
	rest, x := mat.NewDense(2*n, 2*n, nil), mat.NewVecDense(2*n, nil)
	rest.Pow(a, length)
	rest.Scale(-1, rest)
	for i := range 2 * n {
		rest.Set(i, i, 1+rest.At(i, i))
	}
	if err := x.SolveVec(rest.T(), mat.NewVecDense(2*n, slices.Clone(c))); usable(err) != nil {
		return err
	}
	copy(c, x.RawVector().Data)
	return nil
}
