package quant

import (
	"fmt"
	"math"
	"slices"

	"github.com/tfgen/tfgen/runtime/quant"
)

// Making blocks from float32 weights. Each group is fitted by trying scales around the obvious one, rounding, and
// solving for the scale (and offset) with the least squared error for these codes, as make_qx_quants and make_qkx3_quants
// of ggml-quants.c do. The error of a weight counts as much as its column's inputs are large: the importance.

// Fits reports whether blocks of the type can be made from float32 weights.
func (t *Type) Fits() bool { return t.fit != nil || t.Format.Whole }

// Quantize writes a row of float32 weights to row 0 ≤ row < 16 of a tile, whose bytes of that row must be zero.
// importance has the mean square of each column's inputs, or is nil when all count the same.
func (t *Type) Quantize(tile []byte, row int, x, importance []float32) error {
	if t.Format.Whole {
		t.quantizeRow(tile, row, x, importance)
		return nil
	}
	values, _ := t.DType.Block()
	switch {
	case t.fit == nil:
		return fmt.Errorf("%v is read from GGUF files only; weights can be made in %v", t.DType, Made())
	case t.Format.Super > 0 && len(x)%values != 0:
		return fmt.Errorf("%v needs rows of a multiple of %d columns, not %d", t.DType, values, len(x))
	}
	var b block
	part, weight := make([]float32, values), make([]float32, values)
	for at := 0; at < len(x); at += values {
		n := copy(part, x[at:])
		clear(part[n:])
		for i := range weight {
			weight[i] = 1
			if importance != nil && i < n {
				weight[i] = importance[at+i]
			}
		}
		t.fit(&b, part, weight)
		t.store(tile, row, at, &b)
	}
	return nil
}

// quantizeRow writes a row with one scale.
func (t *Type) quantizeRow(tile []byte, row int, x, importance []float32) {
	const bits = 7
	f := t.Format
	if importance == nil {
		importance = slices.Repeat([]float32{1}, len(x))
	}
	s := laneScale(x, fitScale(x, importance, f.Zero), f.Zero, bits)
	f.SetRowScale(tile, len(x), row, s)
	var codes [quant.Block]uint8
	for at := 0; at < len(x); at += quant.Block {
		n := min(quant.Block, len(x)-at)
		clear(codes[n:])
		encode(codes[:n], x[at:at+n], s, 0, f.Zero, bits)
		f.SetCodes(tile[at/quant.Block*f.BlockBytes():][:f.BlockBytes()], row, &codes)
	}
}

// laneScale returns the scale nearest to s, but not below it in magnitude, with which the codes of a row keep quant.LaneLimit.
func laneScale(x []float32, s float32, zero, bits int) float32 {
	codes := make([]uint8, len(x))
	for !math.IsNaN(float64(s)) { // which fits nothing
		encode(codes, x, s, 0, zero, bits)
		most := laneSum(codes, zero)
		if most <= quant.LaneLimit {
			return s
		}
		s *= max(float32(most)/quant.LaneLimit, 1.002) // rounding may need some more steps
	}
	return s
}

// laneSum returns the largest sum of magnitudes over the columns of a lane, as quant.LaneLimit bounds it.
func laneSum(codes []uint8, zero int) int {
	most := 0
	for at := 0; at < len(codes); at += quant.LaneColumns {
		var sums [2]int
		for i, c := range codes[at:min(at+quant.LaneColumns, len(codes))] {
			sums[i/2%2] += max(int(c)-zero, zero-int(c))
		}
		most = max(most, sums[0], sums[1])
	}
	return most
}

// Made returns the names of the formats that weights can be made in.
func Made() []string {
	var names []string
	for _, t := range types {
		if t.Fits() {
			names = append(names, t.Format.Name)
		}
	}
	return names
}

// plain fits one scale for all values: v·s with v from −2^(bits−1).
func plain(f *quant.Format) func(b *block, x, weight []float32) {
	return func(b *block, x, weight []float32) {
		s := fitScale(x, weight, f.Zero)
		b.factor = quant.ToHalf(s)
		encode(b.codes[:], x, quant.Half(b.factor), 0, f.Zero, f.Bits)
	}
}

// shifted fits a scale and a summand of either sign.
func shifted(f *quant.Format) func(b *block, x, weight []float32) {
	return func(b *block, x, weight []float32) {
		s, low := fitShift(x, weight, 1<<f.Bits-1, false)
		b.factor, b.lower = quant.ToHalf(s), quant.ToHalf(-low)
		encode(b.codes[:], x, quant.Half(b.factor), quant.Half(b.lower), 0, f.Bits)
	}
}

// superShifted fits scales and offsets of groups and quantises these to 6 bits under two factors.
func superShifted(f *quant.Format) func(b *block, x, weight []float32) {
	return func(b *block, x, weight []float32) {
		var scales, offsets [16]float32
		groups := len(x) / f.Group
		for g := range groups {
			s, low := fitShift(x[g*f.Group:][:f.Group], weight[g*f.Group:][:f.Group], 1<<f.Bits-1, true)
			scales[g], offsets[g] = s, -low
		}
		const top = 63
		b.factor = under(b.scales[:groups], scales[:groups], top)
		b.lower = under(b.offsets[:groups], offsets[:groups], top)
		for g := range groups {
			s := quant.Half(b.factor) * float32(b.scales[g])
			m := quant.Half(b.lower) * float32(b.offsets[g])
			encode(b.codes[g*f.Group:], x[g*f.Group:][:f.Group], s, m, 0, f.Bits)
		}
	}
}

// superPlain fits scales of groups and quantises these to signed bytes under one factor.
func superPlain(f *quant.Format) func(b *block, x, weight []float32) {
	return func(b *block, x, weight []float32) {
		var scales [16]float32
		groups := len(x) / f.Group
		largest := float32(0)
		for g := range groups {
			scales[g] = fitScale(x[g*f.Group:][:f.Group], weight[g*f.Group:][:f.Group], f.Zero)
			if abs(scales[g]) > abs(largest) {
				largest = scales[g]
			}
		}
		b.factor, b.lower = quant.ToHalf(largest/-128), 0
		d := quant.Half(b.factor)
		for g := range groups {
			b.scales[g] = 0
			if d != 0 {
				b.scales[g] = uint8(int8(clamp(scales[g]/d, -128, 127)))
			}
			encode(b.codes[g*f.Group:], x[g*f.Group:][:f.Group], d*float32(int8(b.scales[g])), 0, f.Zero, f.Bits)
		}
	}
}

// under quantises numbers that are not negative to 0 … top under a factor, which it returns.
func under(dst []uint8, values []float32, top float32) uint16 {
	largest := float32(0)
	for _, v := range values {
		largest = max(largest, v)
	}
	h := quant.ToHalf(largest / top)
	d := quant.Half(h)
	for i, v := range values {
		dst[i] = 0
		if d > 0 {
			dst[i] = uint8(clamp(v/d, 0, top))
		}
	}
	return h
}

// encode writes the codes nearest to (x + m)/s + zero.
func encode(codes []uint8, x []float32, s, m float32, zero, bits int) {
	for i, v := range x {
		code := float32(0)
		if s != 0 {
			code = (v + m) / s
		}
		codes[i] = uint8(clamp(code+float32(zero), 0, float32(int(1)<<bits-1)))
	}
}

// fitScale returns the scale s of x ≈ s·v, v from −half to half−1, with the least weighted squared error among the
// scales tried: those that send the largest magnitude to about −half.
func fitScale(x, weight []float32, half int) float32 {
	largest := float32(0)
	for _, v := range x {
		if abs(v) > abs(largest) {
			largest = v
		}
	}
	if abs(largest) < 1e-30 {
		return 0
	}
	best, gain := float32(0), float32(-1)
	steps := tries(half)
	for step := -steps; step <= steps; step++ {
		inverse := -(float32(half) + 0.1*float32(step)) / largest
		var xv, vv float32
		for i, v := range x {
			q := clamp(inverse*v, -float32(half), float32(half-1))
			xv += weight[i] * v * q
			vv += weight[i] * q * q
		}
		if vv > 0 && xv*xv > gain*vv { // the error is Σ w·x² − (Σ w·x·v)²/Σ w·v²
			best, gain = xv/vv, xv*xv/vv
		}
	}
	if gain < 0 { // no column of any importance
		return -largest / float32(half)
	}
	return best
}

// tries is how many scales are tried on each side of the obvious one: with many levels it is nearly the best.
func tries(half int) int {
	if half > 32 {
		return 4
	}
	return 9
}

// fitShift returns the scale and the least value of x ≈ s·q + low, q from 0 to top, with the least weighted squared error
// among the scales tried. belowZero asks for low ≤ 0.
func fitShift(x, weight []float32, top int, belowZero bool) (s, low float32) {
	least, most := x[0], x[0]
	for _, v := range x {
		least, most = min(least, v), max(most, v)
	}
	if belowZero {
		least = min(least, 0)
	}
	if most-least < 1e-30 {
		if belowZero {
			return 0, least
		}
		return 0, (least + most) / 2
	}
	best := float32(math.Inf(1))
	const steps = 20
	for step := range steps {
		inverse := (float32(top) - 0.9 + 0.09*float32(step)) / (most - least)
		a, b, e := solveShift(x, weight, inverse, least, top, belowZero)
		if e < best {
			best, s, low = e, a, b
		}
	}
	return s, low
}

// solveShift rounds x to codes with a scale and solves for the scale and least value that suit these codes best.
func solveShift(x, weight []float32, inverse, least float32, top int, belowZero bool) (s, low, squared float32) {
	var w, wx, wq, wqq, wxq, wxx float32
	for i, v := range x {
		q := clamp(inverse*(v-least), 0, float32(top))
		w += weight[i]
		wx += weight[i] * v
		wxx += weight[i] * v * v
		wq += weight[i] * q
		wqq += weight[i] * q * q
		wxq += weight[i] * v * q
	}
	d := w*wqq - wq*wq
	if d <= 0 {
		return 1 / inverse, least, float32(math.MaxFloat32)
	}
	s, low = (w*wxq-wx*wq)/d, (wqq*wx-wq*wxq)/d
	if belowZero && low > 0 {
		s, low = wxq/wqq, 0
	}
	return s, low, wxx + s*s*wqq + low*low*w - 2*s*wxq - 2*low*wx + 2*s*low*wq
}

func abs(v float32) float32 { return math.Float32frombits(math.Float32bits(v) &^ (1 << 31)) }

// clamp rounds to nearest, ties to even, within limits.
func clamp(v, lo, hi float32) float32 {
	v = min(max(v, lo), hi)
	const magic = 3 << 22 // adding it rounds at the unit
	return float32(v+magic) - magic
}
