package kernel

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tfgen/tfgen/runtime/quant"
)

// A row describes one operation. The functions of a row are given kernels that
// passed the count checks of Validate.
type row struct {
	dims      int
	floats    int
	variants  func() []string
	check     func(k Kernel) error
	name      func(k Kernel) string
	params    func(k Kernel) []Param
	portable  func(k Kernel) string
	tolerance Tolerance
	doc       func(k Kernel) string
}

// portableDims returns how many dimensions are passed to the portable twin.
func (r row) portableDims(k Kernel) int {
	if k.Op == "softmaxBlock" {
		return 0 // always BlockKeys
	}
	return r.dims
}

const f32s, i32s, integer = "[]float32", "[]int32", "int"

var table = map[string]row{
	"gemm": {
		dims: 1, variants: only("f32", "bf16", "f16", "i8"),
		name:      func(k Kernel) string { return "gemm" + strings.ToUpper(k.S) + "K" + dim(k) },
		params:    gemmParams,
		portable:  func(k Kernel) string { return "Gemm" + strings.ToUpper(k.S) },
		tolerance: Tolerance{2, "K + 1 times (Σ|x·w| + |c|)"},
		doc:       gemmDoc,
	},
	"rmsNorm": {
		dims: 1, floats: 1, variants: only(""), check: positiveEps,
		name:      plain("rmsNorm"),
		params:    params(row2("y"), row2("x"), vec("w"), count("rows")),
		portable:  always("RMSNorm"),
		tolerance: Tolerance{24, "|y|"},
		doc: docf("computes y = x / √(mean(x²) + %[2]s) · w for rows of %[1]d.\n" +
			"y may be x. Zhang and Sennrich 2019, Root Mean Square Layer Normalization."),
	},
	"layerNorm": {
		dims: 1, floats: 1, variants: only(""), check: positiveEps,
		name:      plain("layerNorm"),
		params:    params(row2("y"), row2("x"), vec("w"), vec("b"), count("rows")),
		portable:  always("LayerNorm"),
		tolerance: Tolerance{24, "(|x| + |mean|)/√(var + eps)·|w| + |b|"},
		doc: docf("computes y = (x − mean(x)) / √(var(x) + %[2]s) · w + b for rows of %[1]d.\n" +
			"The variance is the mean of (x − mean)², in a second pass. y may be x. Ba, Kiros and Hinton 2016."),
	},
	"addRMSNorm": {
		dims: 1, floats: 1, variants: only(""), check: positiveEps,
		name:      plain("addRMSNorm"),
		params:    params(row2("y"), row2("x"), row2("d"), vec("w"), count("rows")),
		portable:  always("AddRMSNorm"),
		tolerance: Tolerance{24, "|y|"},
		doc: docf("computes x += d, then y = x / √(mean(x²) + %[2]s) · w, for rows of %[1]d.\n" +
			"y is x, d or neither. Zhang and Sennrich 2019, Root Mean Square Layer Normalization."),
	},
	"addLayerNorm": {
		dims: 1, floats: 1, variants: only(""), check: positiveEps,
		name:      plain("addLayerNorm"),
		params:    params(row2("y"), row2("x"), row2("d"), vec("w"), vec("b"), count("rows")),
		portable:  always("AddLayerNorm"),
		tolerance: Tolerance{24, "(|x| + |mean|)/√(var + eps)·|w| + |b|"},
		doc: docf("computes x += d, then y = (x − mean(x)) / √(var(x) + %[2]s) · w + b, for rows of %[1]d.\n" +
			"y is x, d or neither. Ba, Kiros and Hinton 2016, Layer Normalization."),
	},
	"add": {
		dims: 1, variants: only(""),
		name:     plain("add"),
		params:   params(row2("y"), row2("x"), count("rows")),
		portable: always("Add"),
		doc:      docf("computes y += x for rows of %[1]d."),
	},
	"mul": {
		dims: 1, variants: only(""),
		name:     plain("mul"),
		params:   params(row2("y"), row2("x"), count("rows")),
		portable: always("Mul"),
		doc:      docf("computes y *= x for rows of %[1]d."),
	},
	"scale": {
		dims: 1, variants: only(""),
		name:     plain("scale"),
		params:   params(row2("y"), vec("s"), count("rows")),
		portable: always("Scale"),
		doc:      docf("computes y *= s[0] for rows of %[1]d."),
	},
	"scaleRows": {
		dims: 1, variants: only(""),
		name:     plain("scaleRows"),
		params:   params(row2("y"), vec("a"), count("rows")),
		portable: always("ScaleRows"),
		doc:      docf("computes y[r] *= a[r] for rows y[r] of %[1]d."),
	},
	"glu": {
		dims: 1, variants: Activations,
		name:      func(k Kernel) string { return "glu" + activations[k.S].ident + dim(k) },
		params:    params(row2("y"), row2("x"), row2("u"), count("rows")),
		portable:  func(k Kernel) string { return "GLU" + activations[k.S].ident },
		tolerance: Tolerance{8, "|y|, at least 2⁻¹²⁶·(1 + |u|)"},
		doc: func(k Kernel) string {
			a := activations[k.S]
			return fmt.Sprintf("computes y = f(x) · u for rows of %d, where f(x) = %s.\n"+
				"y may be x or u. Shazeer 2020, GLU Variants Improve Transformer; f: %s.", k.D[0], a.formula, a.source)
		},
	},
	"act": {
		dims: 1, variants: Activations,
		name:      func(k Kernel) string { return "act" + activations[k.S].ident + dim(k) },
		params:    params(row2("y"), row2("x"), count("rows")),
		portable:  func(k Kernel) string { return "Act" + activations[k.S].ident },
		tolerance: Tolerance{8, "|y|, at least 2⁻¹²⁶"},
		doc: func(k Kernel) string {
			a := activations[k.S]
			return fmt.Sprintf("computes y = f(x) for rows of %d, where f(x) = %s.\ny may be x. %s.", k.D[0], a.formula, a.source)
		},
	},
	"rope": {
		dims: 2, variants: only("half", "interleaved"), check: checkRope,
		name:      ropeName,
		params:    params(row2("x"), row2("cs"), count("heads"), count("rows")),
		portable:  func(k Kernel) string { return "Rope" + strings.ToUpper(k.S[:1]) + k.S[1:] },
		tolerance: Tolerance{4, "|x₁| + |x₂| of the pair"},
		doc:       ropeDoc,
	},
	"softmaxBlock": {
		dims: 1, floats: 2, variants: only(""), check: checkSoftmax,
		name: plain("softmaxBlock"),
		params: params(vec("s"), count("rows"), func() []Param {
			return []Param{{"lo", i32s}, {"hi", i32s}}
		}, vec("m"), vec("l"), vec("alpha")),
		portable:  always("SoftmaxBlock"),
		tolerance: Tolerance{16, "(1 + |s·scale|) times the value"},
		doc:       softmaxDoc,
	},
	"qgemm": {
		dims: 1, variants: quant.Names, check: checkQuant,
		name:      func(k Kernel) string { return "gemm" + strings.ToUpper(k.S) + "K" + dim(k) },
		params:    gemmParams,
		portable:  always("GemmQuant"),
		tolerance: Tolerance{3, "2·groups + 1 times (Σ|s·d·dot| + Σ|m·sum| + |c|)"},
		doc:       quantDoc,
	},
	"quantize": {
		dims: 1, variants: only("", "rows"),
		name:      func(k Kernel) string { return quantizeNames[k.S] + dim(k) },
		params:    params(row2("y"), row2("x"), count("rows")),
		portable:  func(k Kernel) string { return strings.ToUpper(quantizeNames[k.S][:1]) + quantizeNames[k.S][1:] },
		tolerance: Tolerance{1, "y: equal bits"},
		doc:       quantizeDoc,
	},
	"scanState": {
		dims: 1, variants: only(""),
		name:      plain("scanState"),
		params:    params(row2("y"), row2("x"), row2("dt"), row2("b"), row2("c"), vec("h"), vec("w"), count("tiles"), count("rows")),
		portable:  always("ScanState"),
		tolerance: Tolerance{64, "(1 + n/8)·(1 + |value|), for arguments of size 1 and n elements of state"},
		doc: docf("is the recurrence of Mamba, row after row: h = e^(dt·w)·h + x·b, y += h·c, with %[1]d elements of state a channel.\n" +
			"y, x and dt have rows of 16·tiles channels, b and c of %[1]d elements; h and w are [tiles][%[1]d][16], and dt·w ≤ 0.\n" +
			"Gu and Dao 2023, Mamba: Linear-Time Sequence Modeling with Selective State Spaces."),
	},
	"scanHead": {
		dims: 1, variants: only(""),
		name:      plain("scanHead"),
		params:    params(row2("y"), row2("x"), row2("b"), row2("c"), vec("h"), vec("a"), count("tiles"), count("rows")),
		portable:  always("ScanHead"),
		tolerance: Tolerance{64, "(1 + n/8)·(1 + |value|), for arguments of size 1 and n elements of state"},
		doc: docf("is the recurrence of one head of Mamba 2, row after row: h = a[row]·h + x·b, y += h·c, with %[1]d elements of state a channel.\n" +
			"y and x have rows of 16·tiles channels, b and c of %[1]d elements; h is [tiles][%[1]d][16].\n" +
			"Dao and Gu 2024, Transformers are SSMs."),
	},
	"expandBF16": {
		dims: 1, variants: only(""),
		name: plain("expandBF16"),
		params: params(row2("y"), func() []Param {
			return []Param{{"x", "[]uint16"}, {"ldx", integer}}
		}, count("rows")),
		portable: always("ExpandBF16"),
		doc:      docf("widens rows of %[1]d bfloat16 values to float32, exactly."),
	},
}

// only lists the variants of a row.
func only(names ...string) func() []string { return func() []string { return names } }

// always is the portable twin of a row without variants.
func always(fn string) func(Kernel) string { return func(Kernel) string { return fn } }

// plain names a kernel by its operation and first dimension.
func plain(op string) func(Kernel) string { return func(k Kernel) string { return op + dim(k) } }

func dim(k Kernel) string { return strconv.Itoa(k.D[0]) }

// row2 is a matrix parameter: the elements and the stride of its rows.
func row2(name string) func() []Param {
	return func() []Param { return []Param{{name, f32s}, {"ld" + name, integer}} }
}

func vec(name string) func() []Param   { return func() []Param { return []Param{{name, f32s}} } }
func count(name string) func() []Param { return func() []Param { return []Param{{name, integer}} } }

func params(groups ...func() []Param) func(Kernel) []Param {
	return func(Kernel) []Param {
		var ps []Param
		for _, g := range groups {
			ps = append(ps, g()...)
		}
		return ps
	}
}

// docf formats a comment with the first dimension and the first literal float.
func docf(format string) func(Kernel) string {
	return func(k Kernel) string {
		args := []any{k.D[0]}
		if len(k.F) > 0 {
			args = append(args, formatFloat(k.F[0]))
		}
		return fmt.Sprintf(format, args...)
	}
}

func positiveEps(k Kernel) error {
	if k.F[0] < 0 {
		return fmt.Errorf("kernel: %s: eps %v is negative", k.Op, k.F[0])
	}
	return nil
}

func gemmParams(k Kernel) []Param {
	w := Param{"w", f32s}
	switch {
	case k.S == "bf16" || k.S == "f16":
		w.Type = "[]uint16"
	case k.S == "i8":
		w.Type = "[]int8"
	case k.Op == "qgemm":
		w.Type = "[]uint8"
	}
	ps := params(row2("y"), row2("x"))(k)
	ps = append(ps, w, Param{"tiles", integer})
	return append(ps, params(row2("c"), count("rows"))(k)...)
}

func gemmDoc(k Kernel) string {
	layout := fmt.Sprintf("w is float32 [tiles][%d][16]", k.D[0])
	if k.S == "bf16" {
		layout = fmt.Sprintf("w is bfloat16 [tiles][%d][16][2], two consecutive k side by side", (k.D[0]+1)/2)
	}
	if k.S == "f16" {
		layout = fmt.Sprintf("w is float16 [tiles][%d][16]", k.D[0])
	}
	if k.S == "i8" {
		layout = fmt.Sprintf("w is int8 [tiles][%d][16]", k.D[0])
	}
	order := "in this order"
	if k.S == "f32" || k.S == "bf16" {
		order += " (with AMX: 32 at a time)"
	}
	return fmt.Sprintf("computes y[r][n] = c[r][n] + Σ x[r][k]·w[n][k] over k = 0 … %d "+order+", for n < 16·tiles.\n"+
		"%s. ldc = 0 adds one bias row to every row; c may be y.\n"+
		"The bits of an output depend on its row of x and c and its column of w only. Goto and van de Geijn 2008.", k.D[0]-1, layout)
}

// checkQuant reports columns that do not fill the units of a format whose scales share a factor.
func checkQuant(k Kernel) error {
	f, err := quant.Lookup(k.S)
	if err != nil {
		return err
	}
	if f.Super > 0 && k.D[0]%f.Super != 0 {
		return fmt.Errorf("kernel: format %s needs multiples of %d columns, got %d", k.S, f.Super, k.D[0])
	}
	return nil
}

func quantDoc(k Kernel) string {
	f, _ := quant.Lookup(k.S)
	if f.Whole {
		return fmt.Sprintf("computes y[r][n] = c[r][n] + s·d·Σ x[r][k]·w[n][k] over %d columns, for n < 16·tiles: s the scale of row n, d that of row r of x.\n"+
			"w is [tiles][%d] bytes of format %s (%s).\n"+
			"The sums are exact integers. ldc = 0 adds one bias row to every row; c may be y.", k.D[0], f.TileBytes(k.D[0]), f.Name, f.Doc)
	}
	return fmt.Sprintf("computes y[r][n] = c[r][n] + Σ x[r][k]·w[n][k] over %d columns, for n < 16·tiles, with rows of x quantised to 8 bits.\n"+
		"w is [tiles][%d] bytes of format %s (%s).\n"+
		"Products within %d columns are exact integers; they are scaled and added in order. ldc = 0 adds one bias row to every row; c may be y.",
		k.D[0], f.TileBytes(k.D[0]), f.Name, f.Doc, f.Group)
}

// quantizeNames names the variants of quantize: blocks of 32 columns with a scale each, or whole rows.
var quantizeNames = map[string]string{"": "quantize", "rows": "quantizeRows"}

func quantizeDoc(k Kernel) string {
	if k.S == "rows" {
		return fmt.Sprintf("quantises rows of %d to 8 bits: d = max|x|/127 of the row, codes x·(127/max|x|), rounded to even.\n"+
			"A row of y has codes, seeds for products, d and Σ code as package quant lays them out.", k.D[0])
	}
	return fmt.Sprintf("quantises rows of %d to 8 bits in blocks of 32: d = max|x|/127, codes x·(127/max|x|), rounded to even.\n"+
		"A row of y has codes, then d, d·Σ code and sums of codes as package quant lays them out.", k.D[0])
}

func ropeName(k Kernel) string {
	name := "rope" + strings.ToUpper(k.S[:1]) + k.S[1:] + dim(k)
	if k.D[1] != k.D[0] {
		name += "r" + strconv.Itoa(k.D[1])
	}
	return name
}

func checkRope(k Kernel) error {
	if k.D[1] > k.D[0] || k.D[1]%2 != 0 {
		return fmt.Errorf("kernel: rope rotates %d of %d elements of a head; the count must be even and not larger", k.D[1], k.D[0])
	}
	return nil
}

func ropeDoc(k Kernel) string {
	pair := fmt.Sprintf("(x[i], x[i+%d])", k.D[1]/2)
	if k.S == "interleaved" {
		pair = "(x[2i], x[2i+1])"
	}
	return fmt.Sprintf("rotates the pairs %s of the first %d of %d elements of each head by the angle i of the row, in place:\n"+
		"(a, b) → (a·cos − b·sin, b·cos + a·sin); a row of cs is %d cosines, then %d sines. Su et al. 2021, RoFormer.",
		pair, k.D[1], k.D[0], k.D[1]/2, k.D[1]/2)
}

func checkSoftmax(k Kernel) error {
	if k.D[0] != BlockKeys {
		return fmt.Errorf("kernel: softmaxBlock works on %d keys, got %d", BlockKeys, k.D[0])
	}
	if k.F[1] < 0 {
		return fmt.Errorf("kernel: softmaxBlock: cap %v is negative; 0 means none", k.F[1])
	}
	return nil
}

func softmaxDoc(k Kernel) string {
	t := "t = " + formatFloat(k.F[0]) + "·s"
	if k.F[1] != 0 {
		c := formatFloat(k.F[1])
		t += fmt.Sprintf(", capped to %s·tanh(t/%s)", c, c)
	}
	return fmt.Sprintf("is one streaming softmax step over a block of %d keys: per row, %s, masked outside [lo, hi);\n"+
		"m′ = max(m, max t); s = e^(t − m′), masked 0; alpha = e^(m − m′); l = l·alpha + Σ s; m = m′.\n"+
		"m starts at −1e30 and l at 0. Milakov and Gimelshein 2018, Online normalizer calculation for softmax.", k.D[0], t)
}
