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

// ScanState runs the recurrence of Mamba for rows rows of 16·tiles channels: h = e^(dt·w)·h + x·b, y += h·c. b and c have
// rows of n; h and w are [tiles][n][16], and dt·w ≤ 0. Gu and Dao 2023, Mamba.
func ScanState(y []float32, ldy int, x []float32, ldx int, dt []float32, lddt int, b []float32, ldb int, c []float32, ldc int,
	h, w []float32, tiles, rows, n int) {
	for r := range rows {
		for t := range tiles {
			at := t * tile
			scanTile(y[r*ldy+at:], x[r*ldx+at:], b[r*ldb:][:n], c[r*ldc:], h[at*n:], func(j, i int) float32 {
				return Exp(dt[r*lddt+at+i] * w[at*n+j*tile+i])
			})
		}
	}
}

// ScanHead runs the recurrence of one head of Mamba 2 for rows rows of 16·tiles channels: h = a[row]·h + x·b, y += h·c. b and
// c have rows of n; h is [tiles][n][16]. Dao and Gu 2024, Transformers are SSMs.
func ScanHead(y []float32, ldy int, x []float32, ldx int, b []float32, ldb int, c []float32, ldc int, h, a []float32, tiles, rows, n int) {
	for r := range rows {
		for t := range tiles {
			at := t * tile
			scanTile(y[r*ldy+at:], x[r*ldx+at:], b[r*ldb:][:n], c[r*ldc:], h[at*n:], func(int, int) float32 { return a[r] })
		}
	}
}

// scanTile updates the states of 16 channels in one row; decay gives the factor of element j of channel i.
func scanTile(y, x, b, c, h []float32, decay func(j, i int) float32) {
	out, in := (*[tile]float32)(y), (*[tile]float32)(x)
	for j, f := range b {
		state, g := (*[tile]float32)(h[j*tile:]), c[j]
		for i := range state {
			state[i] = float32(decay(j, i)*state[i]) + float32(in[i]*f)
			out[i] += float32(state[i] * g)
		}
	}
}

// ScanLogits writes to dt the logits of steps plus their bias (nil: none).
func ScanLogits(dt, logits, bias []float32) {
	copy(dt, logits)
	for i, b := range bias {
		dt[i] += b
	}
}

// ClampSteps limits steps to low … high; high 0 is unbounded.
func ClampSteps(dt []float32, low, high float32) {
	for i, v := range dt {
		dt[i] = max(v, low)
		if high > 0 {
			dt[i] = min(dt[i], high)
		}
	}
}

// ScanStep is the step of a head: softplus of its logit plus bias, limited like ClampSteps.
func ScanStep(logit, bias, low, high float32) float32 {
	dt := max(Softplus(logit+bias), low)
	if high > 0 {
		dt = min(dt, high)
	}
	return dt
}

// ScanChannels writes the inputs dt·x and the first terms d·x of a scan in which every channel is a head.
func ScanChannels(in, y, x, dt, d []float32) {
	for i, v := range x {
		in[i], y[i] = dt[i]*v, d[i]*v
	}
	clear(in[len(x):])
}

// ScanHeadInput writes the inputs dt·x and the first terms d·x of one head, and returns its decay e^(dt·a).
func ScanHeadInput(in, y, x []float32, dt, d, a float32) float32 {
	for i, v := range x {
		in[i], y[i] = dt*v, d*v
	}
	clear(in[len(x):])
	return Exp(dt * a)
}

// RGLRU runs the real-gated linear recurrent unit for the channels from … to−1 and rows rows of a sequence, of which the
// first is its beginning if first: a = e^(decay·σ(gr)), h = a·h + √(1−a²)·σ(gi)·x, and h = σ(gi)·x for a first token. De et
// al. 2024, Griffin.
func RGLRU(y []float32, ldy int, x []float32, ldx int, gi []float32, ldgi int, gr []float32, ldgr int, h, decay []float32,
	rows, from, to int, first bool) {
	for r := range rows {
		for c := from; c < to; c++ {
			v := float64(Sigmoid(gi[r*ldgi+c])) * float64(x[r*ldx+c])
			if !first || r > 0 {
				log := float64(decay[c]) * float64(Sigmoid(gr[r*ldgr+c]))
				v = float64(exp(log)*float64(h[c])) + float64(math.Sqrt(1-exp(2*log))*v)
			}
			h[c] = float32(v)
			y[r*ldy+c] = h[c]
		}
	}
}

// Shift moves the channels from … to−1 one row down: last is the row before the first, which becomes the last one.
func Shift(y []float32, ldy int, x []float32, ldx int, last []float32, rows, from, to int) {
	before := last
	for r := range rows {
		copy(y[r*ldy+from:r*ldy+to], before[from:to])
		before = x[r*ldx:]
	}
	copy(last[from:to], before[from:to])
}

// Lerp computes y = w·a + (1−w)·b for rows of d.
func Lerp(y []float32, ldy int, a []float32, lda int, b []float32, ldb int, w []float32, rows, d int) {
	for r := range rows {
		yr, ar, br := y[r*ldy:][:d], a[r*lda:][:d], b[r*ldb:][:d]
		for i, f := range w[:d] {
			yr[i] = float32(f*ar[i]) + float32((1-f)*br[i])
		}
	}
}

// WKV runs the recurrence of RWKV-4 for the channels from … to−1 of d and rows rows of a sequence. state is three rows of
// d: numerators, denominators and their largest exponents, which begin at MinScore. Peng et al. 2023, RWKV.
func WKV(y []float32, ldy int, k []float32, ldk int, v []float32, ldv int, state, decay, first []float32, rows, from, to, d int) {
	num, den, top := state[:d], state[d:2*d], state[2*d:3*d]
	for r := range rows {
		for c := from; c < to; c++ {
			key, value := k[r*ldk+c], v[r*ldv+c]
			m := max(top[c], key+first[c])
			e1, e2 := Exp(top[c]-m), Exp(key+first[c]-m)
			y[r*ldy+c] = (float32(e1*num[c]) + float32(e2*value)) / (float32(e1*den[c]) + e2)
			m = max(top[c]+decay[c], key)
			e1, e2 = Exp(top[c]+decay[c]-m), Exp(key-m)
			num[c] = float32(e1*num[c]) + float32(e2*value)
			den[c] = float32(e1*den[c]) + e2
			top[c] = m
		}
	}
}

// StartWKV prepares the state of the channels from … to−1 of d for a new sequence.
func StartWKV(state []float32, from, to, d int) {
	clear(state[from:to])
	clear(state[d+from : d+to])
	for c := from; c < to; c++ {
		state[2*d+c] = MinScore
	}
}

// maxHeadDim bounds the heads of DeltaRule.
const maxHeadDim = 1024

// Delta are the sizes of a gated delta rule.
type Delta struct {
	Heads, KeyHeads, KeyDim, ValueDim int
	Eps                               float64 // added to the square of the length of a query or key
}

// DeltaRule runs the gated delta rule for the heads from … to−1 and rows rows of a sequence: S = α·S, then
// S += β·k·(v − Sᵀk)ᵀ, y = Sᵀq/√KeyDim, with q and k of length 1, α = e^(a·softplus(step + bias)) and β = σ(beta). s is
// [heads][KeyDim][ValueDim]. Yang et al. 2024, Gated Delta Networks.
func DeltaRule(y []float32, ldy int, q []float32, ldq int, k []float32, ldk int, v []float32, ldv int, step []float32, lds int,
	beta []float32, ldb int, s, a, bias []float32, rows, from, to int, o Delta) {
	var qn, kn, delta [maxHeadDim]float32
	share, size := o.Heads/o.KeyHeads, o.KeyDim*o.ValueDim
	for r := range rows {
		for h := from; h < to; h++ {
			g := h / share * o.KeyDim
			unitLength(qn[:o.KeyDim], q[r*ldq+g:], o.Eps, 1/math.Sqrt(float64(o.KeyDim)))
			unitLength(kn[:o.KeyDim], k[r*ldk+g:], o.Eps, 1)
			alpha := Exp(float32(a[h] * float32(softplus(float64(step[r*lds+h])+float64(bias[h])))))
			state, out, d := s[h*size:][:size], y[r*ldy+h*o.ValueDim:][:o.ValueDim], delta[:o.ValueDim]
			clear(d)
			for i, f := range kn[:o.KeyDim] {
				row := state[i*o.ValueDim:][:len(d)]
				for j := range d {
					row[j] *= alpha
					d[j] += float32(row[j] * f)
				}
			}
			b, value := Sigmoid(beta[r*ldb+h]), v[r*ldv+h*o.ValueDim:][:len(d)]
			for j := range d {
				d[j] = (value[j] - d[j]) * b
			}
			clear(out)
			for i, f := range kn[:o.KeyDim] {
				row, w := state[i*o.ValueDim:][:len(d)], qn[i]
				for j := range out {
					row[j] += float32(f * d[j])
					out[j] += float32(row[j] * w)
				}
			}
		}
	}
}

// Memory are the sizes and rules of a linear attention.
type Memory struct {
	Heads, KeyHeads, KeyDim, ValueDim int // KeyHeads: heads of keys and values, shared by Heads/KeyHeads queries each
	Scale                             float64
	Retention                         bool // rows of head h decay by 1 − 2^(−5−h) (Sun et al. 2023, Retentive Network)
	Rates                             bool // decay holds a rate for every token: the factor is e^(−e^rate)
}

// factors writes the factors by which the rows of the matrix of head h decay; decay are those of the head, or its rates.
func (o *Memory) factors(f, decay []float32, h int) {
	for i := range f {
		switch {
		case o.Retention:
			f[i] = float32(1 - math.Exp2(float64(-5-h)))
		case decay == nil:
			f[i] = 1
		case o.Rates:
			f[i] = float32(exp(-exp(float64(decay[i]))))
		default:
			f[i] = decay[i]
		}
	}
}

// LinearAttention runs S = w ⊙ S + k·vᵀ, y = Scale·qᵀS for the heads from … to−1 and rows rows of a sequence; with bonus u,
// y = Scale·qᵀ(S + (u ⊙ k)·vᵀ) with S before the token. w are the rows of decay (lddecay 0: one row for all tokens; nil: 1) and
// bonus is [heads][KeyDim] or nil; s is [heads][KeyDim][ValueDim]. Katharopoulos et al. 2020, Peng et al. 2024 (Eagle and Finch).
func LinearAttention(y []float32, ldy int, q []float32, ldq int, k []float32, ldk int, v []float32, ldv int, decay []float32, lddecay int,
	bonus, s []float32, rows, from, to int, o Memory) {
	var factors [maxHeadDim]float32
	share, size, f := o.Heads/o.KeyHeads, o.KeyDim*o.ValueDim, factors[:o.KeyDim]
	for r := range rows {
		for h := from; h < to; h++ {
			if decay != nil {
				o.factors(f, decay[r*lddecay+h*o.KeyDim:], h)
			} else {
				o.factors(f, nil, h)
			}
			g, state, out := h/share, s[h*size:][:size], y[r*ldy+h*o.ValueDim:][:o.ValueDim]
			query, value := q[r*ldq+h*o.KeyDim:][:o.KeyDim], v[r*ldv+g*o.ValueDim:][:len(out)]
			clear(out)
			for i, key := range k[r*ldk+g*o.KeyDim:][:o.KeyDim] {
				row, a := state[i*len(out):][:len(out)], float32(float64(query[i])*o.Scale)
				if bonus != nil {
					recallBefore(out, row, value, a, key, f[i], float32(key*bonus[h*o.KeyDim+i]))
				} else {
					recallAfter(out, row, value, a, key, f[i])
				}
			}
		}
	}
}

// recallAfter updates one row of a matrix, row = f·row + key·value, and adds a times the row to out.
func recallAfter(out, row, value []float32, a, key, f float32) {
	row, value = row[:len(out)], value[:len(out)]
	for j := range out {
		row[j] = float32(f*row[j]) + float32(key*value[j])
		out[j] += float32(a * row[j])
	}
}

// recallBefore adds a·(row + first·value) to out, then updates row = f·row + key·value.
func recallBefore(out, row, value []float32, a, key, f, first float32) {
	row, value = row[:len(out)], value[:len(out)]
	for j := range out {
		out[j] += float32(a * (row[j] + float32(first*value[j])))
		row[j] = float32(f*row[j]) + float32(key*value[j])
	}
}

// unitLength writes x·c/√(Σx² + eps) to y.
func unitLength(y, x []float32, eps, c float64) {
	sum := eps
	for _, v := range x[:len(y)] {
		sum += float64(float64(v) * float64(v))
	}
	c /= math.Sqrt(sum)
	for i := range y {
		y[i] = float32(float64(x[i]) * c)
	}
}

// MLSTM runs the matrix memory of xLSTM for the heads from … to−1 of o.Heads and rows rows of a sequence: with the running
// maximum m, f = e^(ln σ(forget) + m − m′) and i = e^(input − m′), C = f·C + i·k·vᵀ, n = f·n + i·k,
// y = Cᵀq / (max(|n·q|, e^−m′) + eps), q divided by √KeyDim. state is, for each head, C [KeyDim][ValueDim], n and m. Beck et
// al. 2024, xLSTM.
func MLSTM(y []float32, ldy int, q []float32, ldq int, k []float32, ldk int, v []float32, ldv int, input []float32, ldi int,
	forget []float32, ldf int, state []float32, rows, from, to int, o Delta) {
	dk, dv := o.KeyDim, o.ValueDim
	size, scale := dk*dv+dk+1, float32(1/math.Sqrt(float64(dk)))
	for r := range rows {
		for h := from; h < to; h++ {
			c, n, m := state[h*size:][:dk*dv], state[h*size+dk*dv:][:dk], &state[(h+1)*size-1]
			keep, in := float32(float64(*m)-softplus(-float64(forget[r*ldf+h]))), input[r*ldi+h]
			*m = max(keep, in)
			f, i := Exp(keep-*m), Exp(in-*m)
			out, value, norm := y[r*ldy+h*dv:][:dv], v[r*ldv+h*dv:][:dv], float32(0)
			clear(out)
			for a := range dk {
				key, w := float32(i*k[r*ldk+h*dk+a]), float32(q[r*ldq+h*dk+a]*scale)
				n[a] = float32(f*n[a]) + key
				norm += float32(n[a] * w)
				row := c[a*dv:][:dv]
				for b, u := range value {
					row[b] = float32(f*row[b]) + float32(key*u)
					out[b] += float32(row[b] * w)
				}
			}
			div := 1 / (max(math.Abs(float64(norm)), exp(-float64(*m))) + o.Eps)
			for b := range out {
				out[b] = float32(float64(out[b]) * div)
			}
		}
	}
}
