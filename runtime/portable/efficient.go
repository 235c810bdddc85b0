package portable

import "math"

// Project writes rows rows of d elements, y[j] = Σ w[j·ldw + t]·x[t], t < n: keys or values of a whole sequence become a
// fixed number (Wang et al. 2020, arXiv:2006.04768).
func Project(y, w []float32, ldw int, x []float32, ldx, n, rows, d int) {
	for j := range rows {
		sum := y[j*d:][:d]
		clear(sum)
		for t, c := range w[j*ldw:][:n] {
			for i, v := range x[t*ldx:][:d] {
				sum[i] += c * v
			}
		}
	}
}

// Features are the settings of attention by features: how many there are, the width of a head, what is added to each, and
// whether it approximates softmax or is linear above zero.
type Features struct {
	Count, HeadDim int
	Eps            float32
	Softmax        bool
}

// Attend is attention of one head by features over a sequence of n rows: y = φ(q)·S / φ(q)·z with S = Σ φ(k) vᵀ and
// z = Σ φ(k) (Choromanski et al. 2021, arXiv:2009.14794). qf and kf are the products of queries and keys with the feature
// vectors, each with a stride; scratch has Count·(HeadDim + 2) elements.
func (f Features) Attend(y []float32, ldy int, qf []float32, ldqf int, kf []float32, ldkf int, q []float32, ldq int, k []float32, ldk int,
	v []float32, ldv, n int, scratch []float32) {
	m, d := f.Count, f.HeadDim
	phi, total, sums := scratch[:m], scratch[m:2*m], scratch[2*m:][:m*d]
	clear(total)
	clear(sums)
	top := float32(MinScore)
	for t := range n {
		top = max(top, greatest(kf[t*ldkf:][:m]))
	}
	for t := range n {
		f.of(phi, kf[t*ldkf:][:m], k[t*ldk:][:d], top)
		for j, w := range phi {
			total[j] += w
			for i, u := range v[t*ldv:][:d] {
				sums[j*d+i] += w * u
			}
		}
	}
	for t := range n {
		products := qf[t*ldqf:][:m]
		f.of(phi, products, q[t*ldq:][:d], greatest(products))
		row, norm := y[t*ldy:][:d], 0.0
		clear(row)
		for j, w := range phi {
			norm += float64(w) * float64(total[j])
			for i, u := range sums[j*d:][:d] {
				row[i] += w * u
			}
		}
		for i := range row {
			row[i] = float32(float64(row[i]) / norm)
		}
	}
}

// of writes φ of one query or key x.
func (f Features) of(phi, products, x []float32, top float32) {
	square := 0.0
	for _, v := range x {
		square += float64(v) * float64(v)
	}
	less := float32(square/2/math.Sqrt(float64(len(x)))) + top
	for j, p := range products {
		if f.Softmax {
			phi[j] = Exp(p-less) + f.Eps
		} else {
			phi[j] = max(p, 0) + f.Eps
		}
	}
}

func greatest(x []float32) float32 {
	top := x[0]
	for _, v := range x {
		top = max(top, v)
	}
	return top
}
