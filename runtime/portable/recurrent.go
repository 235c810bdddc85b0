package portable

import "math"

// ShortConv computes y[t][c] = b[c] + Σ w[c][j]·x[t−k+1+j][c] for the channels from … to−1 of d and rows rows of a
// sequence. tail has the k−1 rows of d before the first, which it replaces by those before the next; w is [d][k]; b may
// be nil. Sums are taken in the order of j.
func ShortConv(y []float32, ldy int, x []float32, ldx int, tail, w, b []float32, rows, from, to, d, k int) {
	for r := range rows {
		out := y[r*ldy:][:to]
		for c := from; c < to; c++ {
			out[c] = 0
			if b != nil {
				out[c] = b[c]
			}
		}
		for j := range k {
			src := tail[min(r+j, k-2)*d:]
			if at := r + j - k + 1; at >= 0 {
				src = x[at*ldx:]
			}
			for c := from; c < to; c++ {
				out[c] += float32(w[c*k+j] * src[c])
			}
		}
	}
	for j := range k - 1 { // the row before the next at distance k−1−j
		src := tail[min(j+rows, k-2)*d:]
		if at := j + rows - k + 1; at >= 0 {
			src = x[at*ldx:]
		}
		copy(tail[j*d+from:j*d+to], src[from:to])
	}
}

// Scan are the sizes and bounds of a selective scan.
type Scan struct {
	Heads, HeadDim, Groups, State int
	Low, High                     float64 // bounds of the step; High 0: unbounded
}

// step is the step of a head: softplus of its logit, within bounds.
func (o *Scan) step(logit float32, bias []float32, h int) float32 {
	v := float64(logit)
	if bias != nil {
		v += float64(bias[h])
	}
	v = max(softplus(v), o.Low)
	if o.High > 0 {
		v = min(v, o.High)
	}
	return float32(v)
}

// softplus returns ln(1 + e^x).
func softplus(x float64) float64 { return max(x, 0) + log1p(exp(-math.Abs(x))) }

// log1p returns ln(1 + z) for 0 ≤ z ≤ 1 with a relative error below 1e-9: 2·artanh(z/(2+z)).
func log1p(z float64) float64 {
	s := z / (2 + z)
	q, p := float64(s*s), 0.0
	for i := 23; i > 0; i -= 2 {
		p = 1/float64(i) + float64(q*p)
	}
	return 2 * s * p
}

// SelectiveScan runs the state-space recurrence of Mamba for the channels from … to−1 and rows rows of a sequence:
// h[c] = e^(dt·a[c]) ⊙ h[c] + dt·x[c]·B, y[c] = h[c]·C + d[c]·x[c]. Every channel is a head with a decay for each of the
// o.State elements of its state; a and h are [channels][state]. Gu and Dao 2023, Mamba.
func SelectiveScan(y []float32, ldy int, x []float32, ldx int, dt []float32, lddt int, b []float32, ldb int, c []float32, ldc int,
	h, a, d, bias []float32, rows, from, to int, o Scan) {
	n, share := o.State, o.Heads/o.Groups
	for r := range rows {
		for ch := from; ch < to; ch++ {
			step, v := o.step(dt[r*lddt+ch], bias, ch), x[r*ldx+ch]
			in, sum := float32(step*v), float32(d[ch]*v)
			state, decay := h[ch*n:][:n], a[ch*n:][:n]
			br, cr := b[r*ldb+ch/share*n:][:n], c[r*ldc+ch/share*n:][:n]
			for j := range state {
				state[j] = float32(Exp(step*decay[j])*state[j]) + float32(in*br[j])
				sum += float32(state[j] * cr[j])
			}
			y[r*ldy+ch] = sum
		}
	}
}

// StateSpaceDual runs the state-space recurrence of Mamba 2 for the heads from … to−1 and rows rows of a sequence:
// h[p] = e^(dt·a)·h[p] + dt·x[p]·B, y[p] = h[p]·C + d·x[p] for the o.HeadDim channels p of a head, which share dt, a and d.
// h is [heads][head_dim][state]. Dao and Gu 2024, Transformers are SSMs.
func StateSpaceDual(y []float32, ldy int, x []float32, ldx int, dt []float32, lddt int, b []float32, ldb int, c []float32, ldc int,
	h, a, d, bias []float32, rows, from, to int, o Scan) {
	n, share := o.State, o.Heads/o.Groups
	for r := range rows {
		for head := from; head < to; head++ {
			step := o.step(dt[r*lddt+head], bias, head)
			decay := Exp(step * a[head])
			br, cr := b[r*ldb+head/share*n:][:n], c[r*ldc+head/share*n:][:n]
			for p := head * o.HeadDim; p < (head+1)*o.HeadDim; p++ {
				v := x[r*ldx+p]
				y[r*ldy+p] = dualStep(h[p*n:][:n], br, cr, decay, float32(step*v), float32(d[head]*v))
			}
		}
	}
}

// dualStep updates the state of one channel and returns sum + state·c.
func dualStep(state, b, c []float32, decay, in, sum float32) float32 {
	b, c = b[:len(state)], c[:len(state)]
	var s0, s1, s2, s3 float32
	j := 0
	for ; j+4 <= len(state); j += 4 {
		s := (*[4]float32)(state[j:])
		s[0] = float32(decay*s[0]) + float32(in*b[j])
		s[1] = float32(decay*s[1]) + float32(in*b[j+1])
		s[2] = float32(decay*s[2]) + float32(in*b[j+2])
		s[3] = float32(decay*s[3]) + float32(in*b[j+3])
		s0 += float32(s[0] * c[j])
		s1 += float32(s[1] * c[j+1])
		s2 += float32(s[2] * c[j+2])
		s3 += float32(s[3] * c[j+3])
	}
	for ; j < len(state); j++ {
		state[j] = float32(decay*state[j]) + float32(in*b[j])
		s0 += float32(state[j] * c[j])
	}
	return sum + ((s0 + s1) + (s2 + s3))
}
