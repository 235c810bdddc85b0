package portable

import "math"

// SiLU returns x / (1 + e^−x). Elfwing, Uchibe and Doya 2017.
func SiLU(x float32) float32 { return weighted(x, float64(x)) }

// QuickGELU returns x / (1 + e^(−1.702·x)). Hendrycks and Gimpel 2016.
func QuickGELU(x float32) float32 { return weighted(x, 1.702*float64(x)) }

// GELUTanh returns x/2 · (1 + tanh u) with u = √(2/π)·(x + 0.044715·x³), as
// x / (1 + e^−2u), which does not cancel for negative x. Hendrycks and Gimpel
// 2016.
func GELUTanh(x float32) float32 {
	const c = 2 * math.Sqrt2 / math.SqrtPi
	v := float64(x)
	cube := float64(0.044715 * v * v * v)
	return weighted(x, float64(c*(v+cube)))
}

// GELU returns x/2 · (1 + erf(x/√2)), through erfc, which does not cancel for
// negative x. Hendrycks and Gimpel 2016.
func GELU(x float32) float32 {
	if x < -1e3 { // also −Inf, where the product is not a number
		return 0
	}
	return float32(0.5 * float64(x) * math.Erfc(-float64(x)/math.Sqrt2))
}

// ReLU returns max(x, 0).
func ReLU(x float32) float32 {
	if x < 0 {
		return 0
	}
	return x
}

// ReLU2 returns max(x, 0)². So et al. 2021.
func ReLU2(x float32) float32 {
	if x < 0 {
		return 0
	}
	return x * x
}

// Sigmoid returns 1 / (1 + e^−x).
func Sigmoid(x float32) float32 { return float32(1 / (1 + exp(-float64(x)))) }

// Softplus returns ln(1 + e^x). Dugas et al. 2001.
func Softplus(x float32) float32 {
	if x < -103 {
		return float32(exp(float64(x)))
	}
	return float32(softplus(float64(x)))
}

// Tanh returns the hyperbolic tangent of x.
func Tanh(x float32) float32 {
	v := float64(x)
	if math.Abs(v) < 0x1p-12 {
		return float32(v - float64(v*v*v/3))
	}
	return float32(1 - 2/(exp(2*v)+1))
}

// weighted returns x / (1 + e^−v): x times the logistic sigmoid of v.
func weighted(x float32, v float64) float32 {
	if v < -700 {
		return 0
	}
	return float32(float64(x) / (1 + exp(-v)))
}

// pointwise computes y = f(x) for rows of d.
func pointwise(f func(float32) float32, y []float32, ldy int, x []float32, ldx, rows, d int) {
	for r := range rows {
		yr := y[r*ldy:][:d]
		for i, v := range x[r*ldx:][:d] {
			yr[i] = f(v)
		}
	}
}

// gated computes y = f(x) · u for rows of d. Shazeer 2020.
func gated(f func(float32) float32, y []float32, ldy int, x []float32, ldx int, u []float32, ldu, rows, d int) {
	for r := range rows {
		yr, ur := y[r*ldy:][:d], u[r*ldu:][:d]
		for i, v := range x[r*ldx:][:d] {
			yr[i] = f(v) * ur[i]
		}
	}
}

// ActSiLU computes y = SiLU(x) for rows of d. y may be x.
func ActSiLU(y []float32, ldy int, x []float32, ldx, rows, d int) {
	pointwise(SiLU, y, ldy, x, ldx, rows, d)
}

// GLUSiLU computes y = SiLU(x) · u for rows of d. y may be x or u.
func GLUSiLU(y []float32, ldy int, x []float32, ldx int, u []float32, ldu, rows, d int) {
	gated(SiLU, y, ldy, x, ldx, u, ldu, rows, d)
}

// ActQuickGELU computes y = QuickGELU(x) for rows of d. y may be x.
func ActQuickGELU(y []float32, ldy int, x []float32, ldx, rows, d int) {
	pointwise(QuickGELU, y, ldy, x, ldx, rows, d)
}

// GLUQuickGELU computes y = QuickGELU(x) · u for rows of d. y may be x or u.
func GLUQuickGELU(y []float32, ldy int, x []float32, ldx int, u []float32, ldu, rows, d int) {
	gated(QuickGELU, y, ldy, x, ldx, u, ldu, rows, d)
}

// ActGELUTanh computes y = GELUTanh(x) for rows of d. y may be x.
func ActGELUTanh(y []float32, ldy int, x []float32, ldx, rows, d int) {
	pointwise(GELUTanh, y, ldy, x, ldx, rows, d)
}

// GLUGELUTanh computes y = GELUTanh(x) · u for rows of d. y may be x or u.
func GLUGELUTanh(y []float32, ldy int, x []float32, ldx int, u []float32, ldu, rows, d int) {
	gated(GELUTanh, y, ldy, x, ldx, u, ldu, rows, d)
}

// ActGELU computes y = GELU(x) for rows of d. y may be x.
func ActGELU(y []float32, ldy int, x []float32, ldx, rows, d int) {
	pointwise(GELU, y, ldy, x, ldx, rows, d)
}

// GLUGELU computes y = GELU(x) · u for rows of d. y may be x or u.
func GLUGELU(y []float32, ldy int, x []float32, ldx int, u []float32, ldu, rows, d int) {
	gated(GELU, y, ldy, x, ldx, u, ldu, rows, d)
}

// ActReLU computes y = ReLU(x) for rows of d. y may be x.
func ActReLU(y []float32, ldy int, x []float32, ldx, rows, d int) {
	pointwise(ReLU, y, ldy, x, ldx, rows, d)
}

// GLUReLU computes y = ReLU(x) · u for rows of d. y may be x or u.
func GLUReLU(y []float32, ldy int, x []float32, ldx int, u []float32, ldu, rows, d int) {
	gated(ReLU, y, ldy, x, ldx, u, ldu, rows, d)
}

// ActReLU2 computes y = ReLU2(x) for rows of d. y may be x.
func ActReLU2(y []float32, ldy int, x []float32, ldx, rows, d int) {
	pointwise(ReLU2, y, ldy, x, ldx, rows, d)
}

// GLUReLU2 computes y = ReLU2(x) · u for rows of d. y may be x or u.
func GLUReLU2(y []float32, ldy int, x []float32, ldx int, u []float32, ldu, rows, d int) {
	gated(ReLU2, y, ldy, x, ldx, u, ldu, rows, d)
}

// ActSigmoid computes y = Sigmoid(x) for rows of d. y may be x.
func ActSigmoid(y []float32, ldy int, x []float32, ldx, rows, d int) {
	pointwise(Sigmoid, y, ldy, x, ldx, rows, d)
}

// GLUSigmoid computes y = Sigmoid(x) · u for rows of d. y may be x or u.
func GLUSigmoid(y []float32, ldy int, x []float32, ldx int, u []float32, ldu, rows, d int) {
	gated(Sigmoid, y, ldy, x, ldx, u, ldu, rows, d)
}

// ActTanh computes y = Tanh(x) for rows of d. y may be x.
func ActTanh(y []float32, ldy int, x []float32, ldx, rows, d int) {
	pointwise(Tanh, y, ldy, x, ldx, rows, d)
}

// GLUTanh computes y = Tanh(x) · u for rows of d. y may be x or u.
func GLUTanh(y []float32, ldy int, x []float32, ldx int, u []float32, ldu, rows, d int) {
	gated(Tanh, y, ldy, x, ldx, u, ldu, rows, d)
}

// XIELU computes y = αp·x² + β·x for x > 0 and αn·(e^min(x, ε) − 1 − x) + β·x otherwise, for rows of d, where
// αp = ln(1 + e^p) and αn = β + ln(1 + e^n) (Huang and Schlag 2024, Deriving Activation Functions Using Integration).
// y may be x.
func XIELU(y []float32, ldy int, x []float32, ldx int, p, n, beta, eps float32, rows, d int) {
	ap := math.Log1p(math.Exp(float64(p)))
	an := float64(beta) + math.Log1p(math.Exp(float64(n)))
	for r := range rows {
		yr := y[r*ldy:][:d]
		for i, v := range x[r*ldx:][:d] {
			u := float64(v)
			if v > 0 {
				yr[i] = float32(ap*u*u + float64(beta)*u)
			} else {
				yr[i] = float32(an*(math.Expm1(min(u, float64(eps)))-u) + float64(beta)*u)
			}
		}
	}
}

// ActSoftplus computes y = Softplus(x) for rows of d. y may be x.
func ActSoftplus(y []float32, ldy int, x []float32, ldx, rows, d int) {
	pointwise(Softplus, y, ldy, x, ldx, rows, d)
}

// GLUSoftplus computes y = Softplus(x) · u for rows of d. y may be x or u.
func GLUSoftplus(y []float32, ldy int, x []float32, ldx int, u []float32, ldu, rows, d int) {
	gated(Softplus, y, ldy, x, ldx, u, ldu, rows, d)
}
