package portable

// Unfold writes rows first … first+n-1 of a sequence of length rows x of d elements side by side with their neighbours:
// y[i, c·kernel + j] = x[first + i - before + j, c], zeros outside of the sequence.
func Unfold(y []float32, ldy int, x []float32, ldx, first, n, length, d, kernel, before int) {
	for i := range n {
		row := y[i*ldy:][:d*kernel]
		for j := range kernel {
			from := first + i - before + j
			if from < 0 || from >= length {
				for c := range d {
					row[c*kernel+j] = 0
				}
				continue
			}
			for c, v := range x[from*ldx:][:d] {
				row[c*kernel+j] = v
			}
		}
	}
}
