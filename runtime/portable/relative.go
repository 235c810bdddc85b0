package portable

import "math"

// RelativeTable spreads a table of biases by bucket, w [buckets][heads], to one by distance for each head,
// [heads][len(buckets)]: the entry of distance d, from the negative half of len(buckets) to the positive, is
// factor·w[buckets[d]]. Raffel et al. 2020, arXiv:1910.10683.
func RelativeTable(buckets []int32, w []float32, heads int, factor float64) []float32 {
	table := make([]float32, 0, heads*len(buckets))
	for h := range heads {
		for _, b := range buckets {
			table = append(table, float32(factor*float64(w[int(b)*heads+h])))
		}
	}
	return table
}

// Relative writes the biases of consecutive keys of one query: y[i] is that of the distance first + i in a table that
// begins at -len(table)/2; the outermost entries stand for all distances beyond.
func Relative(y, table []float32, first int) {
	at := first + len(table)/2
	for i := range y {
		y[i] = table[min(max(at+i, 0), len(table)-1)]
	}
}

// DistanceScores writes what the distances to consecutive keys add to the scores of one query (He et al. 2021,
// arXiv:2006.03654): y[i] = q[row] + k[i·ldk + row], q being the query's products with vectors of distances and k those of
// the keys; nil adds nothing. rows has the row of each distance key - query from -len(rows)/2 on, and first is that of y[0].
func DistanceScores(y, q, k []float32, ldk int, rows []int32, first int) {
	first += len(rows) / 2
	for i := range y {
		row, sum := rows[min(max(first+i, 0), len(rows)-1)], float32(0)
		if q != nil {
			sum = q[row]
		}
		if k != nil {
			sum += k[i*ldk+int(row)]
		}
		y[i] = sum
	}
}

// Sinusoids writes the sines, then the cosines of positions times frequencies to rows of y (Vaswani et al. 2017); offset
// is added to every position.
func Sinusoids(y []float32, ldy int, positions []int32, frequencies []float64, offset int) {
	for r, p := range positions {
		row := y[r*ldy:][:2*len(frequencies)]
		for i, f := range frequencies {
			sin, cos := math.Sincos(float64(int(p)+offset) * f)
			row[i], row[len(frequencies)+i] = float32(sin), float32(cos)
		}
	}
}

// PositionScale writes 1 + beta·ln(1 + ⌊p/period⌋) for positions p to the first element of rows of y (Llama 4).
func PositionScale(y []float32, ldy int, positions []int32, beta, period float64) {
	for r, p := range positions {
		y[r*ldy] = float32(1 + float64(beta*math.Log1p(math.Floor(float64(p)/period))))
	}
}
