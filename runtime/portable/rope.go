package portable

// RopeHalf rotates the pairs (x[i], x[i+rot/2]) of the first rot of headDim
// elements of each head, in place: (a, b) → (a·cos − b·sin, b·cos + a·sin).
// Row r of cs is rot/2 cosines, then rot/2 sines. Head h of row r begins at
// x[r·ldx + h·headDim]. Su et al. 2021, in the order of GPT-NeoX.
func RopeHalf(x []float32, ldx int, cs []float32, ldcs, heads, rows, headDim, rot int) {
	n := rot / 2
	for r := range rows {
		cos, sin := cs[r*ldcs:][:n], cs[r*ldcs+n:][:n]
		for h := range heads {
			head := x[r*ldx+h*headDim:][:rot]
			for i := range n {
				head[i], head[i+n] = rotate(head[i], head[i+n], cos[i], sin[i])
			}
		}
	}
}

// RopeInterleaved is RopeHalf for the pairs (x[2i], x[2i+1]), the order of
// RoFormer itself.
func RopeInterleaved(x []float32, ldx int, cs []float32, ldcs, heads, rows, headDim, rot int) {
	n := rot / 2
	for r := range rows {
		cos, sin := cs[r*ldcs:][:n], cs[r*ldcs+n:][:n]
		for h := range heads {
			head := x[r*ldx+h*headDim:][:rot]
			for i := range n {
				head[2*i], head[2*i+1] = rotate(head[2*i], head[2*i+1], cos[i], sin[i])
			}
		}
	}
}

// rotate turns the point (a, b) by the angle with the given cosine and sine.
func rotate(a, b, cos, sin float32) (float32, float32) {
	return float32(a*cos) - float32(b*sin), float32(b*cos) + float32(a*sin)
}
