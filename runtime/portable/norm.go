package portable

import "math"

// RMSNorm computes y = x / √(mean(x²) + eps) · w for rows of d. The sum of
// squares is taken in float64. y may be x. Zhang and Sennrich 2019.
func RMSNorm(y []float32, ldy int, x []float32, ldx int, w []float32, rows, d int, eps float64) {
	for r := range rows {
		rmsNorm(y[r*ldy:][:d], x[r*ldx:][:d], w[:d], eps)
	}
}

// AddRMSNorm computes x += delta, then y = RMSNorm(x), for rows of dim.
func AddRMSNorm(y []float32, ldy int, x []float32, ldx int, d []float32, ldd int, w []float32, rows, dim int, eps float64) {
	for r := range rows {
		xr := x[r*ldx:][:dim]
		addTo(xr, d[r*ldd:][:dim])
		rmsNorm(y[r*ldy:][:dim], xr, w[:dim], eps)
	}
}

// LayerNorm computes y = (x − mean(x)) / √(var(x) + eps) · w + b for rows of d.
// Mean and variance are taken in float64, in two passes. y may be x. Ba, Kiros
// and Hinton 2016.
func LayerNorm(y []float32, ldy int, x []float32, ldx int, w, b []float32, rows, d int, eps float64) {
	for r := range rows {
		layerNorm(y[r*ldy:][:d], x[r*ldx:][:d], w[:d], b[:d], eps)
	}
}

// AddLayerNorm computes x += delta, then y = LayerNorm(x), for rows of dim.
func AddLayerNorm(y []float32, ldy int, x []float32, ldx int, d []float32, ldd int, w, b []float32, rows, dim int, eps float64) {
	for r := range rows {
		xr := x[r*ldx:][:dim]
		addTo(xr, d[r*ldd:][:dim])
		layerNorm(y[r*ldy:][:dim], xr, w[:dim], b[:dim], eps)
	}
}

// rmsNorm normalises one row. The square of a float32 is exact in float64, so
// that a fused sum has the same bits.
func rmsNorm(y, x, w []float32, eps float64) {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	inv := float32(1 / math.Sqrt(sum/float64(len(x))+eps))
	for i, v := range x {
		y[i] = float32(v*inv) * w[i]
	}
}

// layerNorm normalises one row.
func layerNorm(y, x, w, b []float32, eps float64) {
	sum := 0.0
	for _, v := range x {
		sum += float64(v)
	}
	mean := sum / float64(len(x))
	squares := 0.0
	for _, v := range x {
		e := float64(v) - mean
		squares += float64(e * e)
	}
	inv := 1 / math.Sqrt(squares/float64(len(x))+eps)
	for i, v := range x {
		y[i] = float32(float32((float64(v)-mean)*inv)*w[i]) + b[i]
	}
}
