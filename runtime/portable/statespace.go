package portable

// StateSpace runs the linear systems of the channels from … to−1 and rows rows of a sequence: s = λ ⊙ s + b·x − Σ low·(read·s),
// y = out·s + d·x, with complex λ and s of n numbers, real parts before imaginary ones. system has for each channel the rows λ,
// with a rank also b (1 without), out, and for each rank low, then for each rank read; d is nil for none; s is [channels][2n].
// Gu et al. 2022, S4 and S4D.
func StateSpace(y []float32, ldy int, x []float32, ldx int, s, system, d []float32, rows, from, to, n, rank int) {
	size := 2 * n
	per := 2 * size
	if rank > 0 {
		per = (3 + 2*rank) * size
	}
	for c := from; c < to; c++ {
		rule, state := system[c*per:][:per], s[c*size:][:size]
		for r := range rows {
			u := x[r*ldx+c]
			out := rule[size:][:size]
			if rank == 0 {
				turn(state[:n], state[n:], rule[:n], rule[n:size], u)
			} else {
				out = rule[2*size:][:size]
				turnLow(state, rule, u, n, rank)
			}
			v := dotRow(out, state)
			if d != nil {
				v += float32(d[c] * u)
			}
			y[r*ldy+c] = v
		}
	}
}

// turn computes s = λ ⊙ s + u.
func turn(re, im, lre, lim []float32, u float32) {
	im, lre, lim = im[:len(re)], lre[:len(re)], lim[:len(re)]
	for i, a := range re {
		b := im[i]
		re[i] = float32(lre[i]*a) - float32(lim[i]*b) + u
		im[i] = float32(lre[i]*b) + float32(lim[i]*a)
	}
}

// turnLow computes s = λ ⊙ s + b·u − Σ low·(read·s), where all of read·s are of the state as it was.
func turnLow(s, rule []float32, u float32, n, rank int) {
	var taken [MaxSystemRank]float32
	size := 2 * n
	for k := range rank {
		taken[k] = dotRow(rule[(3+rank+k)*size:][:size], s)
	}
	turn(s[:n], s[n:], rule[:n], rule[n:size], 0)
	for i, b := range rule[size:][:size] {
		s[i] += float32(b * u)
	}
	for k, g := range taken[:rank] {
		for i, v := range rule[(3+k)*size:][:size] {
			s[i] -= float32(v * g)
		}
	}
}

// MaxSystemRank is the largest rank of a linear system's low-rank part.
const MaxSystemRank = 8

// dotRow is the inner product of two vectors of the same length, in four sums.
func dotRow(a, b []float32) float32 {
	b = b[:len(a)]
	var s [4]float32
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s[0] += float32(a[i] * b[i])
		s[1] += float32(a[i+1] * b[i+1])
		s[2] += float32(a[i+2] * b[i+2])
		s[3] += float32(a[i+3] * b[i+3])
	}
	for ; i < len(a); i++ {
		s[0] += float32(a[i] * b[i])
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}
