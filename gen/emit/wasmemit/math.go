package wasmemit

import (
	"math"

	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
)

// vectorFunc returns a function from four float32 to four float32.
func (e *emitter) vectorFunc(name string, build func(f *code, x wasm.Local)) *wasm.Func {
	return e.sharedFunc(name, []wasm.Type{wasm.V128}, []wasm.Type{wasm.V128}, func(f *code) { build(f, 0) })
}

// activations is the table of activation functions.
var activations map[string]func(e *emitter) *wasm.Func

func init() {
	activations = map[string]func(e *emitter) *wasm.Func{
		"silu":       func(e *emitter) *wasm.Func { return e.weighted("silu", func(f *code, x wasm.Local) { f.Get(x) }) },
		"quick_gelu": func(e *emitter) *wasm.Func { return e.weighted("quick_gelu", quickGELU) },
		"gelu_tanh":  func(e *emitter) *wasm.Func { return e.weighted("gelu_tanh", geluTanh) },
		"gelu":       (*emitter).gelu,
		"gelu_10":    func(e *emitter) *wasm.Func { return e.bounded("gelu_10", e.gelu(), 10) },
		"hard_swish": (*emitter).hardSwish,
		"laplace":    (*emitter).laplace,
		"leaky_relu": (*emitter).leakyReLU,
		"linear":     (*emitter).linearActivation,
		"mish":       (*emitter).mish,
		"relu":       (*emitter).relu,
		"relu2":      (*emitter).relu2,
		"relu6":      func(e *emitter) *wasm.Func { return e.bounded("relu6", e.relu(), 6) },
		"sigmoid":    (*emitter).sigmoid,
		"tanh":       (*emitter).tanh,
	}
}

// expTerms are the coefficients of eʳ = 1 + r + r²·P(r) on |r| ≤ ln 2 / 2, highest first (Moshier, Cephes, expf).
var expTerms = []float32{1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1}

// exp is eˣ for x limited to ±87.3, with a relative error of about 2⁻²³: x = n·ln 2 + r, the power of two goes to the
// exponent.
func (e *emitter) exp() *wasm.Func {
	return e.vectorFunc("exp", func(f *code, x wasm.Local) {
		n, p := f.Local(wasm.V128), f.Local(wasm.V128)
		f.Get(x).V(-87.3).Do(wasm.F32x4Max).V(87.3).Do(wasm.F32x4Min).Tee(x)
		f.V(math.Log2E).Do(wasm.F32x4Mul, wasm.F32x4Nearest).Set(n)
		f.Get(x).Get(n).V(0.693359375).Do(wasm.F32x4Mul, wasm.F32x4Sub)
		f.Get(n).V(-2.12194440e-4).Do(wasm.F32x4Mul, wasm.F32x4Sub).Set(x)
		f.polynomial(p, expTerms, func() { f.Get(x) })
		f.Get(p).Get(x).Do(wasm.F32x4Mul).Get(x).Do(wasm.F32x4Mul).Get(x).Do(wasm.F32x4Add).V(1).Do(wasm.F32x4Add)
		f.Get(n).Do(wasm.I32x4TruncSatF32).Words(127, 127, 127, 127).Do(wasm.I32x4Add).I32(23).Do(wasm.I32x4Shl, wasm.F32x4Mul)
	})
}

// polynomial leaves a polynomial of what x pushes in p; terms are its coefficients, highest first.
func (f *code) polynomial(p wasm.Local, terms []float32, x func()) {
	f.V(terms[0])
	for _, c := range terms[1:] {
		x()
		f.Do(wasm.F32x4Mul).V(c).Do(wasm.F32x4Add)
	}
	f.Set(p)
}

// sigmoid is 1 / (1 + e⁻ˣ).
func (e *emitter) sigmoid() *wasm.Func {
	exp := e.exp()
	return e.vectorFunc("sigmoid", func(f *code, x wasm.Local) {
		f.V(1).Get(x).Do(wasm.F32x4Neg).Call(exp).V(1).Do(wasm.F32x4Add, wasm.F32x4Div)
	})
}

// weighted is x times the sigmoid of v(x).
func (e *emitter) weighted(name string, v func(f *code, x wasm.Local)) *wasm.Func {
	sigmoid := e.sigmoid()
	return e.vectorFunc(name, func(f *code, x wasm.Local) {
		f.Get(x)
		v(f, x)
		f.Call(sigmoid).Do(wasm.F32x4Mul)
	})
}

func quickGELU(f *code, x wasm.Local) { f.Get(x).V(1.702).Do(wasm.F32x4Mul) }

// geluTanh pushes 2u with u = √(2/π)·(x + 0.044715·x³): x/2·(1 + tanh u) is x times the sigmoid of that.
func geluTanh(f *code, x wasm.Local) {
	const c = 2 * math.Sqrt2 / math.SqrtPi
	f.Get(x).Get(x).Do(wasm.F32x4Mul).V(0.044715 * c).Do(wasm.F32x4Mul).V(c).Do(wasm.F32x4Add).Get(x).Do(wasm.F32x4Mul)
}

// geluTerms are the coefficients of sⁱ, highest first, in (a + 4)·e^(a²/2)·Φ(−a) on 0 ≤ a ≤ 15, with s = (a − 4)/(a + 4).
// Least squares in Chebyshev nodes for the relative error, which is below 3e-8.
var geluTerms = []float32{-0.00013647656, 0.0001700798, 0.0015666747, -0.0035084463, -0.007522436, 0.06040371, -0.18652394,
	0.3871368, -0.60789657, 0.75528514}

// gelu is x·Φ(x). With a = |x| and t = e^(−a²/2)·G(a), which is Φ(−a), that is x·(1 − t) for x ≥ 0 and x·t for x < 0.
func (e *emitter) gelu() *wasm.Func {
	normal := e.normal()
	return e.vectorFunc("gelu", func(f *code, x wasm.Local) { f.Get(x).Get(x).Call(normal).Do(wasm.F32x4Mul) })
}

// normal is Φ(x), the distribution function of a standard normal variable.
func (e *emitter) normal() *wasm.Func {
	exp := e.exp()
	return e.vectorFunc("normal", func(f *code, x wasm.Local) {
		a, s, t := f.Local(wasm.V128), f.Local(wasm.V128), f.Local(wasm.V128)
		f.Get(x).Do(wasm.F32x4Abs).V(13).Do(wasm.F32x4Min).Set(a)
		f.Get(a).V(4).Do(wasm.F32x4Sub).Get(a).V(4).Do(wasm.F32x4Add, wasm.F32x4Div).Set(s)
		f.polynomial(t, geluTerms, func() { f.Get(s) })
		f.Get(t).Get(a).V(4).Do(wasm.F32x4Add, wasm.F32x4Div)
		f.Get(a).Get(a).Do(wasm.F32x4Mul).V(-0.5).Do(wasm.F32x4Mul).Call(exp).Do(wasm.F32x4Mul).Set(t)
		f.Get(t).V(1).Get(t).Do(wasm.F32x4Sub)
		f.Get(x).V(0).Do(wasm.F32x4Lt, wasm.V128Bitselect)
	})
}

func (e *emitter) relu() *wasm.Func {
	return e.vectorFunc("relu", func(f *code, x wasm.Local) { f.Get(x).V(0).Do(wasm.F32x4Max) })
}

func (e *emitter) relu2() *wasm.Func {
	return e.vectorFunc("relu2", func(f *code, x wasm.Local) {
		f.Get(x).V(0).Do(wasm.F32x4Max).Tee(x).Get(x).Do(wasm.F32x4Mul)
	})
}

// bounded is another activation, at most top.
func (e *emitter) bounded(name string, of *wasm.Func, top float32) *wasm.Func {
	return e.vectorFunc(name, func(f *code, x wasm.Local) { f.Get(x).Call(of).V(top).Do(wasm.F32x4Min) })
}

func (e *emitter) linearActivation() *wasm.Func {
	return e.vectorFunc("linear_activation", func(f *code, x wasm.Local) { f.Get(x) })
}

func (e *emitter) leakyReLU() *wasm.Func {
	return e.vectorFunc("leaky_relu", func(f *code, x wasm.Local) {
		f.Get(x).Get(x).V(0.01).Do(wasm.F32x4Mul, wasm.F32x4Max)
	})
}

// hardSwish is max(x, −3) · (min(max(x + 3, 0), 6) / 6).
func (e *emitter) hardSwish() *wasm.Func {
	return e.vectorFunc("hard_swish", func(f *code, x wasm.Local) {
		f.Get(x).V(-3).Do(wasm.F32x4Max)
		f.Get(x).V(3).Do(wasm.F32x4Add).V(0).Do(wasm.F32x4Max).V(6).Do(wasm.F32x4Min).V(6).Do(wasm.F32x4Div, wasm.F32x4Mul)
	})
}

// laplace is Φ((x − μ)/σ).
func (e *emitter) laplace() *wasm.Func {
	normal := e.normal()
	return e.vectorFunc("laplace", func(f *code, x wasm.Local) {
		f.Get(x).V(0.707107).Do(wasm.F32x4Sub).V(0.282095).Do(wasm.F32x4Div).Call(normal)
	})
}

// mish is x · tanh(ln(1 + eˣ)): with e = e^min(x, 30) that is x · n/(n + 2), n = e·(e + 2).
func (e *emitter) mish() *wasm.Func {
	exp := e.exp()
	return e.vectorFunc("mish", func(f *code, x wasm.Local) {
		n := f.Local(wasm.V128)
		f.Get(x).V(30).Do(wasm.F32x4Min).Call(exp).Tee(n)
		f.Get(n).V(2).Do(wasm.F32x4Add, wasm.F32x4Mul).Set(n)
		f.Get(n).Get(n).V(2).Do(wasm.F32x4Add, wasm.F32x4Div).Get(x).Do(wasm.F32x4Mul)
	})
}

// tanhTerms are the coefficients of x², x⁴ … in tanh(x)/x on |x| < 0.625, highest first; the term 1 comes last. Least
// squares in Chebyshev nodes for the relative error, which is below 5e-9.
var tanhTerms = []float32{-0.0056774197, 0.020616846, -0.05373383, 0.13331386, -0.3333328, 1}

// tanh is 1 − 2/(e²ˣ + 1), or a polynomial near zero, where that cancels.
func (e *emitter) tanh() *wasm.Func {
	exp := e.exp()
	return e.vectorFunc("tanh", func(f *code, x wasm.Local) {
		q, p := f.Local(wasm.V128), f.Local(wasm.V128)
		f.Get(x).Get(x).Do(wasm.F32x4Mul).Set(q)
		f.polynomial(p, tanhTerms, func() { f.Get(q) })
		f.Get(p).Get(x).Do(wasm.F32x4Mul)
		f.V(1).V(2).Get(x).Get(x).Do(wasm.F32x4Add).Call(exp).V(1).Do(wasm.F32x4Add, wasm.F32x4Div, wasm.F32x4Sub)
		f.Get(x).Do(wasm.F32x4Abs).V(0.625).Do(wasm.F32x4Lt, wasm.V128Bitselect)
	})
}

// bf16 rounds to the nearest bfloat16, ties to even.
func (e *emitter) bf16() *wasm.Func {
	return e.vectorFunc("bf16", func(f *code, x wasm.Local) {
		f.Get(x).Words(0x7fff, 0x7fff, 0x7fff, 0x7fff).Do(wasm.I32x4Add)
		f.Get(x).I32(16).Do(wasm.I32x4ShrU).Words(1, 1, 1, 1).Do(wasm.V128And, wasm.I32x4Add)
		f.Words(0xffff0000, 0xffff0000, 0xffff0000, 0xffff0000).Do(wasm.V128And)
	})
}

// exp64 is eˣ in float64 with a relative error below 1e-13: the Taylor series of degree 11 behind Cody and Waite's reduction,
// as in runtime/portable. Arguments are limited to ±700.
func (e *emitter) exp64() *wasm.Func {
	return e.sharedFunc("exp64", []wasm.Type{wasm.F64}, []wasm.Type{wasm.F64}, func(f *code) {
		x, n := wasm.Local(0), f.Local(wasm.F64)
		f.Get(x).F64(-700).Do(wasm.F64Max).F64(700).Do(wasm.F64Min).Tee(x).F64(math.Log2E).Do(wasm.F64Mul, wasm.F64Nearest).Set(n)
		f.Get(x).Get(n).F64(6.93147180369123816490e-01).Do(wasm.F64Mul, wasm.F64Sub)
		f.Get(n).F64(1.90821492927058770002e-10).Do(wasm.F64Mul, wasm.F64Sub).Set(x)
		f.F64(1)
		for i := 11; i > 0; i-- {
			f.Get(x).F64(1/float64(i)).Do(wasm.F64Mul, wasm.F64Mul).F64(1).Do(wasm.F64Add)
		}
		f.Get(n).Do(wasm.I64TruncSatF64).I64(1023).Do(wasm.I64Add).I64(52).Do(wasm.I64Shl, wasm.F64ReinterpretI64, wasm.F64Mul)
	})
}

// Coefficients of sine and cosine on |x| ≤ π/4, and π/2 in two parts (Sun, fdlibm, k_sin.c, k_cos.c, e_rem_pio2.c).
var (
	sinTerms = []float64{1.58969099521155010221e-10, -2.50507602534068634195e-08, 2.75573137070700676789e-06,
		-1.98412698298579493134e-04, 8.33333333332248946124e-03, -1.66666666666666324348e-01}
	cosTerms = []float64{-1.13596475577881948265e-11, 2.08757232129817482790e-09, -2.75573143513906633035e-07,
		2.48015872894767294178e-05, -1.38888888888741095749e-03, 4.16666666666666019037e-02}
)

const (
	halfPiHigh = 1.57079632673412561417e+00
	halfPiLow  = 6.07710050650619224932e-11
)

// sincos returns sine and cosine of a float64 of at most 2²⁰.
func (e *emitter) sincos() *wasm.Func {
	return e.sharedFunc("sincos", []wasm.Type{wasm.F64}, []wasm.Type{wasm.F64, wasm.F64}, func(f *code) {
		x, n, z, sin, cos, t := wasm.Local(0), f.Local(wasm.F64), f.Local(wasm.F64), f.Local(wasm.F64), f.Local(wasm.F64), f.Local(wasm.F64)
		quadrant := f.Local(wasm.I32)
		f.Get(x).F64(2/math.Pi).Do(wasm.F64Mul, wasm.F64Nearest).Tee(n).Do(wasm.I32TruncSatF64).Set(quadrant)
		f.Get(x).Get(n).F64(halfPiHigh).Do(wasm.F64Mul, wasm.F64Sub).Get(n).F64(halfPiLow).Do(wasm.F64Mul, wasm.F64Sub).Tee(x)
		f.Get(x).Do(wasm.F64Mul).Set(z)
		f.horner(sinTerms, z)
		f.Get(z).Do(wasm.F64Mul).Get(x).Do(wasm.F64Mul).Get(x).Do(wasm.F64Add).Set(sin)
		f.F64(1).Get(z).F64(0.5).Do(wasm.F64Mul, wasm.F64Sub)
		f.horner(cosTerms, z)
		f.Get(z).Do(wasm.F64Mul).Get(z).Do(wasm.F64Mul, wasm.F64Add).Set(cos)
		f.Get(quadrant).I32(1).Do(wasm.I32And).If(func() { // a quarter turn: (s, c) → (c, −s)
			f.Get(sin).Set(t).Get(cos).Set(sin).Get(t).Do(wasm.F64Neg).Set(cos)
		})
		f.Get(quadrant).I32(2).Do(wasm.I32And).If(func() {
			f.Get(sin).Do(wasm.F64Neg).Set(sin).Get(cos).Do(wasm.F64Neg).Set(cos)
		})
		f.Get(sin).Get(cos)
	})
}

// horner pushes a polynomial of z.
func (f *code) horner(terms []float64, z wasm.Local) {
	f.F64(terms[0])
	for _, c := range terms[1:] {
		f.Get(z).Do(wasm.F64Mul).F64(c).Do(wasm.F64Add)
	}
}
