package portable

import "math"

// exp returns e^x with a relative error below 1e-13, enough to be rounded to
// float32. Unlike math.Exp it has the same bits on every architecture. Results
// beyond e^±700 saturate at that value; NaN stays NaN.
func exp(x float64) float64 {
	x = min(max(x, -700), 700)
	if x != x {
		return x
	}
	n := math.Floor(float64(x*math.Log2E) + 0.5)
	const ln2Hi, ln2Lo = 6.93147180369123816490e-01, 1.90821492927058770002e-10
	r := (x - float64(n*ln2Hi)) - float64(n*ln2Lo)
	p := 1.0
	for i := 11; i > 0; i-- {
		p = 1 + float64(p*(r*reciprocals[i]))
	}
	return p * math.Float64frombits(uint64(int64(n)+1023)<<52)
}

// reciprocals[i] is 1/i: Horner's rule over these is the Taylor series of e^r.
var reciprocals = [12]float64{0, 1, 1. / 2, 1. / 3, 1. / 4, 1. / 5, 1. / 6, 1. / 7, 1. / 8, 1. / 9, 1. / 10, 1. / 11}

// Exp returns e^x rounded to float32; arguments below −103.98 give exactly 0.
func Exp(x float32) float32 { return float32(exp(float64(x))) }
