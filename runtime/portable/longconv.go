package portable

// LongConv convolves the channels from … to−1 of width and rows rows of a sequence, of which the first is at position pos, with
// filters of length rows: y[t] = d·x[t] + Σ filter[j]·x[t−j], summed from the oldest input on. history are the inputs so far, a
// row of width a position, to which these are added; d is nil for none. Poli et al. 2023, Hyena.
func LongConv(y []float32, ldy int, x []float32, ldx int, history, filter, d []float32, rows, from, to, width, length, pos int) {
	for r := range rows {
		copy(history[(pos+r)*width+from:(pos+r)*width+to], x[r*ldx+from:])
	}
	for c := from; c < to; c += 16 {
		n := min(16, to-c)
		for r := range rows {
			t, out := pos+r, y[r*ldy+c:][:n]
			clear(out)
			if d != nil {
				for i, w := range d[c:][:n] {
					out[i] = float32(w * x[r*ldx+c+i])
				}
			}
			for p := max(0, t+1-length); p <= t; p++ {
				w, v := filter[(t-p)*width+c:][:len(out)], history[p*width+c:][:len(out)]
				for i := range out {
					out[i] += float32(w[i] * v[i])
				}
			}
		}
	}
}
