package op

import (
	"fmt"

	"gonum.org/v1/gonum/dsp/fourier"

	"github.com/tfgen/tfgen/gen/ir"
)

// Operations that mix the rows of a whole sequence other than by attention. They have no state: the sequence is there at
// once, as in encoders.

func inferUnfold(o *ir.Op) ([]ir.Type, error) {
	t, kernel, before := o.In[0].Type, o.Attrs.Int("kernel"), o.Attrs.Int("before")
	if kernel < 1 || before < 0 || before >= kernel {
		return nil, fmt.Errorf("kernel is %d and before %d, expected a row among at least one", kernel, before)
	}
	if t.Rows != ir.Tokens && t.Rows != ir.Source {
		return nil, fmt.Errorf("the input is %s, expected one row a token", t)
	}
	return []ir.Type{{DType: ir.F32, Rows: t.Rows, Dims: []int{kernel * t.Width()}}}, wantFloat(o.In[0])
}

func refUnfold(x *Exec, o *ir.Op) error {
	in, y, kernel := x.in(o, 0), x.out(o, 0), o.Attrs.Int("kernel")
	for _, s := range x.spans(o.In[0].Type.Rows) {
		for r := range s.rows {
			for j := range kernel {
				if from := r - o.Attrs.Int("before") + j; from >= 0 && from < s.rows {
					for c, v := range in.Row(s.at + from) {
						y.Row(s.at + r)[c*kernel+j] = v
					}
				}
			}
		}
	}
	return nil
}

func inferRowSpectrum(o *ir.Op) ([]ir.Type, error) {
	t := o.In[0].Type
	return []ir.Type{{DType: ir.F32, Rows: t.Rows, Dims: []int{2 * (t.Width()/2 + 1)}}}, wantFloat(o.In[0])
}

func refRowSpectrum(x *Exec, o *ir.Op) error {
	in, y := x.in(o, 0), x.out(o, 0)
	fft := fourier.NewFFT(in.Width)
	for r := range in.Rows {
		for k, c := range fft.Coefficients(nil, in.Row(r)) {
			y.Row(r)[k], y.Row(r)[y.Width/2+k] = real(c), imag(c)
		}
	}
	return nil
}

func inferSequenceSpectrum(o *ir.Op) ([]ir.Type, error) {
	t, dim := o.In[0].Type, o.Attrs.Int("dim")
	if dim < 1 || t.Width() != 2*(dim/2+1) || t.Rows != ir.Tokens && t.Rows != ir.Source {
		return nil, fmt.Errorf("the input is %s, expected a row_spectrum of %d for each token", t, dim)
	}
	return []ir.Type{{DType: ir.F32, Rows: t.Rows, Dims: []int{dim}}}, wantFloat(o.In[0])
}

// refSequenceSpectrum puts the other half of the coefficients there, which are conjugates, and transforms each column.
func refSequenceSpectrum(x *Exec, o *ir.Op) error {
	in, y, dim := x.in(o, 0), x.out(o, 0), o.Attrs.Int("dim")
	half := in.Width / 2
	for _, s := range x.spans(o.In[0].Type.Rows) {
		if s.rows == 0 {
			continue
		}
		fft, column := fourier.NewCmplxFFT(s.rows), make([]complex128, s.rows)
		for k := range dim {
			for r := range column {
				row := in.Row(s.at + r)
				if k < half {
					column[r] = complex(row[k], row[half+k])
				} else {
					column[r] = complex(row[dim-k], -row[half+dim-k])
				}
			}
			for r, c := range fft.Coefficients(nil, column) {
				y.Row(s.at + r)[k] = real(c)
			}
		}
	}
	return nil
}
