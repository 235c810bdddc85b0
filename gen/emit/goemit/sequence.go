package goemit

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/plan"
)

// unfold emits the bringing of neighbouring rows side by side.
func (e *emitter) unfold(s plan.Step) (string, error) {
	o, width, kernel, before := s.Op, s.Op.In[0].Type.Width(), s.Op.Attrs.Int("kernel"), s.Op.Attrs.Int("before")
	name := fmt.Sprintf("unfold%dx%dFrom%d", width, kernel, before)
	e.method(name, fmt.Sprintf("writes %d neighbouring rows of %d side by side, from %d before the row itself on, zeros outside of the sequence.", kernel, width, before),
		"y, x view, n int", fmt.Sprintf(`from, to := t.rows(n)
for i := range t.run.segments {
	s := &t.run.segments[i]
	first, end := max(from, s.start), min(to, s.start+s.rows)
	if first < end {
		portable.Unfold(t.at(y, first), y.ld, t.at(x, s.start), x.ld, first-s.start, end-first, s.rows, %d, %d, %d)
	}
}`, width, kernel, before))
	return fmt.Sprintf("t.%s(%s, %s, %s)", name, e.ref(o.Out[0]), e.ref(o.In[0]), count(o.Out[0].Type.Rows)), nil
}

// rowSpectrum emits the Fourier transform of every row.
func (e *emitter) rowSpectrum(s plan.Step) (string, error) {
	o, d := s.Op, s.Op.In[0].Type.Width()
	roots := fmt.Sprintf("roots%d", d)
	e.tables[roots] = comment(fmt.Sprintf("%s are the %d roots of unity.", roots, d)) + fmt.Sprintf("var %s = portable.Roots(%d)\n", roots, d)
	name := fmt.Sprintf("rowSpectrum%d", d)
	e.rowwise(name, fmt.Sprintf("computes the discrete Fourier transform of rows of %d: real, then imaginary parts of coefficients 0 … %d.", d, d/2), "y, x view",
		fmt.Sprintf("c := &t.spectrum\nportable.SpectrumRows(t.at(y, from), y.ld, t.at(x, from), x.ld, to-from, %d, c.a[:%d], c.work[:%d], %s)", d, d, d, roots))
	return fmt.Sprintf("t.%s(%s, %s, %s)", name, e.ref(o.Out[0]), e.ref(o.In[0]), count(o.Out[0].Type.Rows)), nil
}

// sequenceSpectrum emits the Fourier transform over the rows of every sequence; workers share coefficients.
func (e *emitter) sequenceSpectrum(s plan.Step) (string, error) {
	o, d := s.Op, s.Op.Attrs.Int("dim")
	name := fmt.Sprintf("sequenceSpectrum%d", d)
	e.method(name, fmt.Sprintf("computes the real part of the discrete Fourier transform over the rows of each sequence of spectra of %d; workers share the coefficients.", d),
		"y, x view", fmt.Sprintf(`c := &t.spectrum
from, to := t.run.pool.Range(t.id, %d, 1)
for i := range t.run.segments {
	s := &t.run.segments[i]
	roots := c.roots[:s.rows]
	portable.FillRoots(roots)
	portable.SpectrumColumns(t.at(y, s.start), y.ld, t.at(x, s.start), x.ld, s.rows, %d, from, to, c.a[:s.rows], c.work[:s.rows], roots)
}`, d/2+1, d))
	return fmt.Sprintf("t.%s(%s, %s)", name, e.ref(o.Out[0]), e.ref(o.In[0])), nil
}

// spectrumLength is the length of a worker's memory for Fourier transforms, 0 if the graph has none.
func spectrumLength(g *ir.Graph, rows int) (n int) {
	for _, o := range g.Ops {
		switch o.Kind {
		case "row_spectrum":
			n = max(n, o.In[0].Type.Width())
		case "sequence_spectrum":
			n = max(n, rows)
		}
	}
	return n
}

// spectrumScratch is the field of a worker for Fourier transforms.
func spectrumScratch(g *ir.Graph, rows int) string {
	if n := spectrumLength(g, rows); n > 0 {
		return fmt.Sprintf("\nspectrum struct { // Fourier transforms of rows and columns\na, work, roots [%d]complex128\n}", n)
	}
	return ""
}
