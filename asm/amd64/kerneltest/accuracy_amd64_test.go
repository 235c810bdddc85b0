package kerneltest

import (
	"math"
	"testing"

	"github.com/tfgen/tfgen/asm/kernel"
)

// exact has the activations in float64, in forms that do not cancel.
var exact = map[string]func(x float64) float64{
	"silu":       func(x float64) float64 { return x * logistic(x) },
	"gelu":       gelu,
	"gelu_10":    func(x float64) float64 { return min(gelu(x), 10) },
	"gelu_tanh":  func(x float64) float64 { return x * logistic(2*math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)) },
	"quick_gelu": func(x float64) float64 { return x * logistic(1.702*x) },
	"hard_swish": func(x float64) float64 { return max(x, -3) * min(max(x+3, 0), 6) / 6 },
	"laplace":    func(x float64) float64 { return 0.5 * math.Erfc((0.707107-x)/(0.282095*math.Sqrt2)) },
	"leaky_relu": func(x float64) float64 { return max(x, 0.01*x) },
	"linear":     func(x float64) float64 { return x },
	"mish":       func(x float64) float64 { return x * math.Tanh(softplus(x)) },
	"relu":       func(x float64) float64 { return max(x, 0) },
	"relu2":      func(x float64) float64 { return max(x, 0) * max(x, 0) },
	"relu6":      func(x float64) float64 { return min(max(x, 0), 6) },
	"sigmoid":    logistic,
	"softplus":   softplus,
	"tanh":       math.Tanh,
}

func gelu(x float64) float64 { return x * 0.5 * math.Erfc(-x/math.Sqrt2) }

func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// accuracyWidth is the dimension of the activations that are swept.
const accuracyWidth = 768

// sweep returns arguments over the whole range: dense where the function
// curves, every binade outside, and both signs.
func sweep(dense int) []float32 {
	var xs []float32
	for i := range dense {
		xs = append(xs, -115+130*float32(i)/float32(dense), -2+4*float32(i)/float32(dense))
	}
	for e := -149; e < 128; e++ {
		for _, f := range []float64{1, 1.1, 1.5, 1.9} {
			v := float32(math.Ldexp(f, e))
			xs = append(xs, v, -v)
		}
	}
	for len(xs)%accuracyWidth != 0 {
		xs = append(xs, 0)
	}
	return xs
}

// TestActivationAccuracy bounds the error of every activation in units of the
// last place of the exact result.
func TestActivationAccuracy(t *testing.T) {
	const limit = 3.75 // GELU near −1.84; the others stay below 3.05
	dense := 400000
	if testing.Short() {
		dense = 4000
	}
	xs := sweep(dense)
	for _, level := range levels() {
		for _, kind := range kernel.Activations() {
			k := kernel.Kernel{Op: "act", S: kind, D: []int{accuracyWidth}}
			fn := functions[k.Name()+level].(func(y *float32, ldy int, x *float32, ldx, rows int))
			y := make([]float32, len(xs))
			fn(&y[0], accuracyWidth, &xs[0], accuracyWidth, len(xs)/accuracyWidth)
			worst, at := 0.0, float32(0)
			for i, x := range xs {
				if e := ulps(y[i], exact[kind](float64(x))); !(e <= worst) {
					worst, at = e, x
				}
			}
			t.Logf("%s %s: %.2f ulp at %v", kind, level, worst, at)
			if !(worst <= limit) {
				t.Errorf("%s %s: %.2f ulp at %v, the limit is %v", kind, level, worst, at, limit)
			}
		}
	}
}

// ulps returns the error of got in units of the last place of want.
func ulps(got float32, want float64) float64 {
	if math.Abs(want) > math.MaxFloat32 {
		want = math.Copysign(math.Inf(1), want)
	}
	if float64(got) == want {
		return 0
	}
	_, e := math.Frexp(want)
	return math.Abs(float64(got)-want) / math.Ldexp(1, max(e-24, -149))
}

// bounds are the limits of activations that do not go from 0 to infinity.
var bounds = map[string]struct{ bottom, top float32 }{
	"sigmoid":    {0, 1},
	"laplace":    {0, 1},
	"tanh":       {-1, 1},
	"relu6":      {0, 6},
	"gelu_10":    {0, 10},
	"linear":     {float32(math.Inf(-1)), float32(math.Inf(1))},
	"leaky_relu": {float32(math.Inf(-1)), float32(math.Inf(1))},
}

// TestActivationLimits checks infinities, the largest numbers and NaN.
func TestActivationLimits(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, level := range levels() {
		for _, kind := range kernel.Activations() {
			k := kernel.Kernel{Op: "act", S: kind, D: []int{17}}
			fn := functions[k.Name()+level].(func(y *float32, ldy int, x *float32, ldx, rows int))
			x := [17]float32{inf, -inf, nan, math.MaxFloat32, -math.MaxFloat32, -200, 200, -1e4, 1e30}
			x[16] = nan
			var y [17]float32
			fn(&y[0], 17, &x[0], 17, 1)
			b, bounded := bounds[kind]
			if !bounded {
				b.top = inf
			}
			if y[0] != b.top || y[1] != b.bottom {
				t.Errorf("%s %s: f(±Inf) = %v, %v", kind, level, y[0], y[1])
			}
			for _, i := range []int{3, 4, 5, 7} {
				if e := ulps(y[i], exact[kind](float64(x[i]))); !(e <= 1) {
					t.Errorf("%s %s: f(%v) = %v", kind, level, x[i], y[i])
				}
			}
			if y[2] == y[2] || y[16] == y[16] {
				t.Errorf("%s %s: f(NaN) = %v, %v", kind, level, y[2], y[16])
			}
		}
	}
}

// TestExponentialAccuracy measures e^t through a softmax step with m = 0.
func TestExponentialAccuracy(t *testing.T) {
	const limit = 2
	for _, level := range levels() {
		k := kernel.Kernel{Op: "softmaxBlock", D: []int{kernel.BlockKeys}, F: []float64{1, 0}}
		fn := functions[variantName(t, k)+level].(func(s *float32, rows int, lo, hi *int32, m, l, alpha *float32))
		worst, at := 0.0, float32(0)
		for start := float32(-112); start < 0; start += 0.031 {
			var s, x [kernel.BlockKeys]float32
			for i := range s {
				x[i] = min(start+float32(i)*0.0005, 0)
			}
			s = x
			lo, hi, m, l, alpha := int32(0), int32(kernel.BlockKeys), float32(0), float32(0), float32(0)
			fn(&s[0], 1, &lo, &hi, &m, &l, &alpha)
			for i, v := range s {
				if e := ulps(v, math.Exp(float64(x[i]))); !(e <= worst) {
					worst, at = e, x[i]
				}
			}
			if alpha != 1 || m != 0 {
				t.Fatalf("%s: alpha = %v and m = %v, want 1 and 0", level, alpha, m)
			}
		}
		t.Logf("exp %s: %.2f ulp at %v", level, worst, at)
		if !(worst <= limit) {
			t.Errorf("exp %s: %.2f ulp at %v, the limit is %v", level, worst, at, limit)
		}
	}
}
