package portable

// Add computes y += x for rows of d.
func Add(y []float32, ldy int, x []float32, ldx int, rows, d int) {
	for r := range rows {
		addTo(y[r*ldy:][:d], x[r*ldx:][:d])
	}
}

// addTo adds one row to another of the same length.
func addTo(y, x []float32) {
	for i, v := range x {
		y[i] += v
	}
}

// Mul computes y *= x for rows of d.
func Mul(y []float32, ldy int, x []float32, ldx int, rows, d int) {
	for r := range rows {
		yr := y[r*ldy:][:d]
		for i, v := range x[r*ldx:][:d] {
			yr[i] *= v
		}
	}
}

// Scale computes y *= s[0] for rows of d.
func Scale(y []float32, ldy int, s []float32, rows, d int) {
	for r := range rows {
		scaleRow(y[r*ldy:][:d], s[0])
	}
}

// ScaleRows computes y[r] *= a[r] for rows y[r] of d. A factor of exactly 1
// leaves the bits of a row as they are.
func ScaleRows(y []float32, ldy int, a []float32, rows, d int) {
	for r := range rows {
		scaleRow(y[r*ldy:][:d], a[r])
	}
}

// scaleRow multiplies one row by s.
func scaleRow(y []float32, s float32) {
	for i := range y {
		y[i] *= s
	}
}

// ExpandBF16 widens rows of d bfloat16 values to float32, exactly.
func ExpandBF16(y []float32, ldy int, x []uint16, ldx int, rows, d int) {
	for r := range rows {
		yr := y[r*ldy:][:d]
		for i, h := range x[r*ldx:][:d] {
			yr[i] = widen(h)
		}
	}
}

// Clamp bounds rows of d: y = min(max(y, low), high), in place.
func Clamp(y []float32, ldy int, low, high float32, rows, d int) {
	for r := range rows {
		yr := y[r*ldy:][:d]
		for i, v := range yr {
			yr[i] = min(max(v, low), high)
		}
	}
}
