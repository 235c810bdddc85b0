package op

import (
	"math"
	"sort"
)

// activations maps the kinds of the act and glu operations to their formulas.
var activations = map[string]func(float64) float64{
	"silu":       func(x float64) float64 { return x / (1 + math.Exp(-x)) },
	"gelu":       func(x float64) float64 { return 0.5 * x * math.Erfc(-x/math.Sqrt2) },
	"gelu_tanh":  geluTanh,
	"quick_gelu": func(x float64) float64 { return x / (1 + math.Exp(-1.702*x)) },
	"relu":       func(x float64) float64 { return math.Max(x, 0) },
	"relu2":      func(x float64) float64 { return math.Max(x, 0) * math.Max(x, 0) },
	"tanh":       math.Tanh,
	"softplus":   softplus,
	"sigmoid":    func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
}

func geluTanh(x float64) float64 {
	return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
}

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
