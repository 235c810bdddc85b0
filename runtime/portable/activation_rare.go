package portable

import "math"

// GELU10 returns GELU(x), at most 10. Wu et al. 2020.
func GELU10(x float32) float32 { return min(GELU(x), 10) }

// HardSwish returns x · min(max(x + 3, 0), 6) / 6. Howard et al. 2019, MobileNetV3.
func HardSwish(x float32) float32 { return max(x, -3) * (min(max(x+3, 0), 6) / 6) }

// Laplace returns (1 + erf((x − 0.707107) / (0.282095·√2))) / 2. Ma et al. 2022, Mega.
func Laplace(x float32) float32 {
	return float32(0.5 * math.Erfc((0.707107-float64(x))/(0.282095*math.Sqrt2)))
}

// LeakyReLU returns max(x, 0.01·x). Maas, Hannun and Ng 2013.
func LeakyReLU(x float32) float32 { return max(x, 0.01*x) }

// Linear returns x.
func Linear(x float32) float32 { return x }

// Mish returns x · tanh(ln(1 + e^x)) as x · e·(2 + e)/(e² + 2e + 2), e = e^x, or its like with e^−x. Misra 2019.
func Mish(x float32) float32 {
	v := float64(x)
	if v < -700 {
		return 0
	}
	e := exp(-math.Abs(v))
	if v < 0 {
		return float32(v * e * (2 + e) / (2 + float64(e*(2+e))))
	}
	return float32(v * ((1 + 2*e) / (1 + 2*e + float64(2*e*e))))
}

// ReLU6 returns min(max(x, 0), 6). Krizhevsky 2010.
func ReLU6(x float32) float32 { return min(max(x, 0), 6) }

// ActGELU10 computes y = GELU10(x) for rows of d. y may be x.
func ActGELU10(y []float32, ldy int, x []float32, ldx, rows, d int) {
	pointwise(GELU10, y, ldy, x, ldx, rows, d)
}

// GLUGELU10 computes y = GELU10(x) · u for rows of d. y may be x or u.
func GLUGELU10(y []float32, ldy int, x []float32, ldx int, u []float32, ldu, rows, d int) {
	gated(GELU10, y, ldy, x, ldx, u, ldu, rows, d)
}

// ActHardSwish computes y = HardSwish(x) for rows of d. y may be x.
func ActHardSwish(y []float32, ldy int, x []float32, ldx, rows, d int) {
	pointwise(HardSwish, y, ldy, x, ldx, rows, d)
}

// GLUHardSwish computes y = HardSwish(x) · u for rows of d. y may be x or u.
func GLUHardSwish(y []float32, ldy int, x []float32, ldx int, u []float32, ldu, rows, d int) {
	gated(HardSwish, y, ldy, x, ldx, u, ldu, rows, d)
}

// ActLaplace computes y = Laplace(x) for rows of d. y may be x.
func ActLaplace(y []float32, ldy int, x []float32, ldx, rows, d int) {
	pointwise(Laplace, y, ldy, x, ldx, rows, d)
}

// GLULaplace computes y = Laplace(x) · u for rows of d. y may be x or u.
func GLULaplace(y []float32, ldy int, x []float32, ldx int, u []float32, ldu, rows, d int) {
	gated(Laplace, y, ldy, x, ldx, u, ldu, rows, d)
}

// ActLeakyReLU computes y = LeakyReLU(x) for rows of d. y may be x.
func ActLeakyReLU(y []float32, ldy int, x []float32, ldx, rows, d int) {
	pointwise(LeakyReLU, y, ldy, x, ldx, rows, d)
}

// GLULeakyReLU computes y = LeakyReLU(x) · u for rows of d. y may be x or u.
func GLULeakyReLU(y []float32, ldy int, x []float32, ldx int, u []float32, ldu, rows, d int) {
	gated(LeakyReLU, y, ldy, x, ldx, u, ldu, rows, d)
}

// ActLinear computes y = Linear(x) for rows of d. y may be x.
func ActLinear(y []float32, ldy int, x []float32, ldx, rows, d int) {
	pointwise(Linear, y, ldy, x, ldx, rows, d)
}

// GLULinear computes y = Linear(x) · u for rows of d. y may be x or u.
func GLULinear(y []float32, ldy int, x []float32, ldx int, u []float32, ldu, rows, d int) {
	gated(Linear, y, ldy, x, ldx, u, ldu, rows, d)
}

// ActMish computes y = Mish(x) for rows of d. y may be x.
func ActMish(y []float32, ldy int, x []float32, ldx, rows, d int) {
	pointwise(Mish, y, ldy, x, ldx, rows, d)
}

// GLUMish computes y = Mish(x) · u for rows of d. y may be x or u.
func GLUMish(y []float32, ldy int, x []float32, ldx int, u []float32, ldu, rows, d int) {
	gated(Mish, y, ldy, x, ldx, u, ldu, rows, d)
}

// ActReLU6 computes y = ReLU6(x) for rows of d. y may be x.
func ActReLU6(y []float32, ldy int, x []float32, ldx, rows, d int) {
	pointwise(ReLU6, y, ldy, x, ldx, rows, d)
}

// GLUReLU6 computes y = ReLU6(x) · u for rows of d. y may be x or u.
func GLUReLU6(y []float32, ldy int, x []float32, ldx int, u []float32, ldu, rows, d int) {
	gated(ReLU6, y, ldy, x, ldx, u, ldu, rows, d)
}
