package kernel

import (
	"slices"
	"strings"
)

// An activation is one kind of pointwise function: its name in Go identifiers,
// other names that checkpoints use for it, its formula and its source.
type activation struct {
	ident   string
	aliases []string
	formula string
	source  string
}

var activations = map[string]activation{
	"silu":       {"SiLU", []string{"swish"}, "x / (1 + e^−x)", "Elfwing, Uchibe and Doya 2017"},
	"gelu":       {"GELU", []string{"gelu_python"}, "x/2 · (1 + erf(x/√2))", "Hendrycks and Gimpel 2016"},
	"gelu_10":    {"GELU10", nil, "min(GELU(x), 10)", "Wu et al. 2020"},
	"gelu_tanh":  {"GELUTanh", []string{"gelu_new", "gelu_pytorch_tanh", "gelu_fast"}, "x/2 · (1 + tanh(√(2/π)·(x + 0.044715·x³)))", "Hendrycks and Gimpel 2016"},
	"quick_gelu": {"QuickGELU", nil, "x / (1 + e^(−1.702·x))", "Hendrycks and Gimpel 2016"},
	"hard_swish": {"HardSwish", []string{"hardswish"}, "x · min(max(x + 3, 0), 6) / 6", "Howard et al. 2019, MobileNetV3"},
	"laplace":    {"Laplace", nil, "(1 + erf((x − 0.707107) / (0.282095·√2))) / 2", "Ma et al. 2022, Mega"},
	"leaky_relu": {"LeakyReLU", nil, "max(x, 0.01·x)", "Maas, Hannun and Ng 2013"},
	"linear":     {"Linear", nil, "x", "the identity"},
	"mish":       {"Mish", nil, "x · tanh(ln(1 + e^x))", "Misra 2019"},
	"relu":       {"ReLU", nil, "max(x, 0)", "Nair and Hinton 2010"},
	"relu2":      {"ReLU2", []string{"relu_squared"}, "max(x, 0)²", "So et al. 2021, Primer"},
	"relu6":      {"ReLU6", nil, "min(max(x, 0), 6)", "Krizhevsky 2010"},
	"sigmoid":    {"Sigmoid", nil, "1 / (1 + e^−x)", "Cybenko 1989"},
	"softplus":   {"Softplus", nil, "ln(1 + e^x)", "Dugas et al. 2001"},
	"tanh":       {"Tanh", nil, "tanh x", "LeCun et al. 1998"},
}

// Activations returns the canonical names of all activation kinds, sorted.
func Activations() []string {
	names := make([]string, 0, len(activations))
	for name := range activations {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Activation returns the canonical kind for a name found in a spec or a
// checkpoint ("gelu_pytorch_tanh" is "gelu_tanh") and whether it is known.
func Activation(name string) (kind string, ok bool) {
	name = strings.ToLower(name)
	if _, ok := activations[name]; ok {
		return name, true
	}
	for _, kind := range Activations() {
		if slices.Contains(activations[kind].aliases, name) {
			return kind, true
		}
	}
	return "", false
}
