package portable

// SLSTM runs the scalar memory of xLSTM for the heads from … to−1 of heads, dim wide each, and rows rows of a sequence. To
// the gates input gi, forget gf, z and o comes r·y + b of the head, y of the token before; then, with the running maximum m,
// i = e^(gi − m′), f = e^(ln σ(gf) + m − m′), c = f·c + i·tanh(z), n = f·n + i and y = σ(o)·c/n. r is [heads][dim][4][dim], b
// [heads][4][dim] or nil; state is y, c, n and m, [heads][dim] each, of which m begins at MinScore. Beck et al. 2024, xLSTM.
func SLSTM(y []float32, ldy int, gi []float32, ldi int, gf []float32, ldf int, z []float32, ldz int, o []float32, ldo int,
	state, r, b []float32, rows, from, to, heads, dim int) {
	var gates [4 * maxHeadDim]float32
	d, g := heads*dim, gates[:4*dim]
	for row := range rows {
		for h := from; h < to; h++ {
			at := h * dim
			copy(g, gi[row*ldi+at:][:dim])
			copy(g[dim:], gf[row*ldf+at:][:dim])
			copy(g[2*dim:], z[row*ldz+at:][:dim])
			copy(g[3*dim:], o[row*ldo+at:][:dim])
			if b != nil {
				addTo(g, b[4*at:][:4*dim])
			}
			for k, v := range state[at:][:dim] {
				w := r[(at+k)*4*dim:][:len(g)]
				for j := range g {
					g[j] += float32(w[j] * v)
				}
			}
			stepSLSTM(g, state[at:], state[d+at:], state[2*d+at:], state[3*d+at:], dim)
			copy(y[row*ldy+at:][:dim], state[at:])
		}
	}
}

// stepSLSTM updates the memory of a head by its gates.
func stepSLSTM(g, y, c, n, m []float32, dim int) {
	for j := range dim {
		keep, in := float32(float64(m[j])-softplus(-float64(g[dim+j]))), g[j]
		m[j] = max(keep, in)
		f, i := Exp(keep-m[j]), Exp(in-m[j])
		c[j] = float32(f*c[j]) + float32(i*Tanh(g[2*dim+j]))
		n[j] = float32(f*n[j]) + i
		y[j] = float32(Sigmoid(g[3*dim+j])*c[j]) / n[j]
	}
}

// StartSLSTM prepares the state of the heads from … to−1 of heads, dim wide each, for a new sequence.
func StartSLSTM(state []float32, from, to, heads, dim int) {
	d := heads * dim
	for part := range 4 {
		clear(state[part*d+from*dim : part*d+to*dim])
	}
	for i := from * dim; i < to*dim; i++ {
		state[3*d+i] = MinScore
	}
}
