// Package cases lists the kernels that package kerneltest is generated from.
package cases

import (
	"github.com/tfgen/tfgen/asm/kernel"
	"github.com/tfgen/tfgen/runtime/quant"
)

// Kernels returns awkward and common shapes of every kernel, sorted and with
// unique names.
func Kernels() []kernel.Kernel {
	var ks []kernel.Kernel
	add := func(op, s string, f []float64, ds ...int) {
		for _, d := range ds {
			ks = append(ks, kernel.Kernel{Op: op, S: s, D: []int{d}, F: f})
		}
	}
	add("gemm", "f32", nil, 1, 2, 3, 7, 10, 17, 28, 64, 100, 384, 385, 768, 2048)
	add("gemm", "f16", nil, 1, 3, 7, 17, 64, 385, 2048)
	add("gemm", "i8", nil, 1, 3, 7, 17, 64, 385, 2048)
	add("gemm", "bf16", nil, 1, 2, 3, 7, 10, 17, 64, 385, 768, 2048)
	rows := []int{1, 3, 8, 15, 16, 17, 31, 33, 54, 72, 385, 768}
	for _, op := range []string{"rmsNorm", "addRMSNorm"} {
		add(op, "", []float64{1e-6}, rows...)
	}
	add("rmsNorm", "", []float64{1e-5}, 768)
	for _, op := range []string{"layerNorm", "addLayerNorm"} {
		add(op, "", []float64{1e-12}, rows...)
	}
	for _, op := range []string{"add", "mul", "scale", "scaleRows", "expandBF16"} {
		add(op, "", nil, 1, 7, 14, 16, 33, 100, 768)
	}
	for _, op := range []string{"scanState", "scanHead"} {
		add(op, "", nil, 1, 7, 16, 33)
	}
	for _, kind := range kernel.Activations() {
		add("act", kind, nil, 1, 17, 90, 768)
		add("glu", kind, nil, 20, 90, 768)
	}
	for _, style := range []string{"half", "interleaved"} {
		for _, d := range [][]int{{2, 2}, {10, 10}, {14, 6}, {20, 20}, {28, 28}, {54, 54}, {64, 64}, {80, 32}, {128, 128}, {256, 256}} {
			ks = append(ks, kernel.Kernel{Op: "rope", S: style, D: d})
		}
	}
	for _, f := range [][]float64{{0.125, 0}, {1, 0}, {0.0625, 50}} {
		add("softmaxBlock", "", f, kernel.BlockKeys)
	}
	return kernel.Distinct(ks)
}

// Quantised returns the kernels of quantised weights: every format over several units, and where its scales are its own
// over columns that do not fill one.
func Quantised() []kernel.Kernel {
	var ks []kernel.Kernel
	for _, name := range quant.Names() {
		f, _ := quant.Lookup(name)
		columns := 200
		if f.Super > 0 {
			columns = 2 * f.Super
		}
		ks = append(ks, kernel.Kernel{Op: "qgemm", S: name, D: []int{columns}})
	}
	ks = append(ks, kernel.Kernel{Op: "qgemm", S: "int8", D: []int{1536}})
	ks = append(ks, kernel.Kernel{Op: "qgemm", S: "q4k", D: []int{2304}}) // passes of 1,024 columns by AMX
	for _, columns := range []int{1, 31, 32, 33, 64, 90, 200, 512} {
		ks = append(ks, kernel.Kernel{Op: "quantize", D: []int{columns}}, kernel.Kernel{Op: "quantize", S: "rows", D: []int{columns}})
	}
	return kernel.Distinct(ks)
}
