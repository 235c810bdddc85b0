package sample

import "math"

const (
	underflow = -104 // exp(x) is below the smallest float32: probability 0, as in a float32 softmax
	ln2High   = 6.93147180369123816490e-01
	ln2Low    = 1.90821492927058770002e-10
)

// exp returns eˣ for x ≤ 0 with a relative error below 1e-11, and 0 below
// underflow. Range reduction x = k·ln 2 + r, |r| ≤ ln 2 / 2, then the Taylor
// polynomial of degree 10. Products are rounded explicitly, so that no compiler
// fuses them with the following addition and all platforms agree.
func exp(x float64) float64 {
	if x < underflow {
		return 0
	}
	k := float64(int(x*(1/math.Ln2) - 0.5))
	r := (x - float64(k*ln2High)) - float64(k*ln2Low)
	p := 1.0 / 3628800
	p = float64(p*r) + 1.0/362880
	p = float64(p*r) + 1.0/40320
	p = float64(p*r) + 1.0/5040
	p = float64(p*r) + 1.0/720
	p = float64(p*r) + 1.0/120
	p = float64(p*r) + 1.0/24
	p = float64(p*r) + 1.0/6
	p = float64(p*r) + 0.5
	p = float64(p*r) + 1
	p = float64(p*r) + 1
	return p * math.Float64frombits(uint64(1023+int(k))<<52)
}

// softmaxWeights sets weights to exp(logit − top), the softmax before division,
// and returns their sum. Top is the largest logit.
func softmaxWeights(weights []float64, logits []float32, top float32) float64 {
	total := 0.0
	for i, v := range logits {
		w := exp(float64(v) - float64(top))
		weights[i] = w
		total += w
	}
	return total
}
