package op

import (
	"math"
	"sort"
)

// activations maps the kinds of the act and glu operations to their formulas.
var activations = map[string]func(float64) float64{
	"silu":       func(x float64) float64 { return x / (1 + math.Exp(-x)) },
	"gelu":       gelu,
	"gelu_10":    func(x float64) float64 { return math.Min(gelu(x), 10) },
	"gelu_tanh":  geluTanh,
	"quick_gelu": func(x float64) float64 { return x / (1 + math.Exp(-1.702*x)) },
	"hard_swish": func(x float64) float64 { return x * math.Min(math.Max(x+3, 0), 6) / 6 },
	"laplace":    laplace,
	"leaky_relu": func(x float64) float64 { return math.Max(x, 0.01*x) },
	"linear":     func(x float64) float64 { return x },
	"mish":       func(x float64) float64 { return x * math.Tanh(softplus(x)) },
	"relu":       func(x float64) float64 { return math.Max(x, 0) },
	"relu2":      func(x float64) float64 { return math.Max(x, 0) * math.Max(x, 0) },
	"relu6":      func(x float64) float64 { return math.Min(math.Max(x, 0), 6) },
	"tanh":       math.Tanh,
	"softplus":   softplus,
	"sigmoid":    func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
}

func gelu(x float64) float64 { return 0.5 * x * math.Erfc(-x/math.Sqrt2) }

func geluTanh(x float64) float64 {
	return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
}

// laplace is the distribution function of a normal variable of mean √½ and deviation √(1/4π), to six places (Ma et al. 2022, Mega).
func laplace(x float64) float64 { return 0.5 * math.Erfc(-(x-0.707107)/(0.282095*math.Sqrt2)) }

// Activations returns the names of the activation functions in order.
func Activations() []string {
	names := make([]string, 0, len(activations))
	for name := range activations {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Activation returns the formula of an activation function in float64.
func Activation(kind string) (func(float64) float64, bool) {
	f, ok := activations[kind]
	return f, ok
}
