package dtype_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/checkpoint/dtype"
	"github.com/tfgen/tfgen/gen/checkpoint/safetensors"
	"github.com/tfgen/tfgen/gen/checkpoint/tensor"
)

// raw reads the bytes of a tensor.
func raw(t *testing.T, f *os.File, tensors []tensor.Tensor, name string) []byte {
	t.Helper()
	x, ok := tensor.Find(tensors, name)
	if !ok {
		t.Fatalf("there is no %s", name)
	}
	b := make([]byte, x.Size)
	if _, err := f.ReadAt(b, x.Offset); err != nil {
		t.Fatal(err)
	}
	return b
}

// testGolden decodes TYPE/blocks of a file and compares with TYPE/values, bit for bit. It returns the types found.
func testGolden(t *testing.T, path string) int {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	h, err := safetensors.Read(f, info.Size(), "quant", 1000)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, d := range dtype.All() {
		if _, ok := tensor.Find(h.Tensors, d.String()+"/blocks"); !ok {
			continue
		}
		found++
		t.Run(d.String(), func(t *testing.T) {
			src := raw(t, f, h.Tensors, d.String()+"/blocks")
			want := make([]float32, len(raw(t, f, h.Tensors, d.String()+"/values"))/4)
			if err := dtype.F32.Decode(want, raw(t, f, h.Tensors, d.String()+"/values")); err != nil {
				t.Fatal(err)
			}
			got := make([]float32, len(want))
			if err := d.Decode(got, src); err != nil {
				t.Fatal(err)
			}
			for i := range want {
				if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
					t.Fatalf("value %d of %d: got %v (%08x), want %v (%08x)", i, len(want), got[i], math.Float32bits(got[i]), want[i], math.Float32bits(want[i]))
				}
			}
		})
	}
	return found
}

// TestGolden holds the decoders to blocks that gguf-py 0.19.0 decoded.
func TestGolden(t *testing.T) {
	blocked := 2 // F16 and BF16
	for _, d := range dtype.All() {
		if d.Quantised() {
			blocked++
		}
	}
	if n := testGolden(t, filepath.Join("testdata", "quant.safetensors")); n != blocked {
		t.Errorf("%d types have golden blocks, expected %d", n, blocked)
	}
}

// TestGoldenFull does the same with thousands of values of each type.
func TestGoldenFull(t *testing.T) {
	dir := os.Getenv("TFGEN_SHARED")
	if dir == "" {
		t.Skip("TFGEN_SHARED is not set")
	}
	testGolden(t, filepath.Join(strings.TrimSpace(dir), "golden", "quant", "quant.safetensors"))
}
