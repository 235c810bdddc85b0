package checkpoint

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// quantisedDirectory makes a checkpoint directory of a file in testdata/quantised, without the expected values' meaning.
func quantisedDirectory(t *testing.T, file, quantization string) string {
	t.Helper()
	dir := t.TempDir()
	data, err := os.ReadFile(filepath.Join("testdata", "quantised", file+".safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"model.safetensors": string(data), "config.json": `{"quantization_config": ` + quantization + `}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

var quantisers = []struct{ file, config string }{
	{"gptq", `{"quant_method": "gptq", "bits": 4, "group_size": 16, "checkpoint_format": "gptq"}`},
	{"gptq_v2", `{"quant_method": "gptq", "bits": 4, "group_size": 16, "checkpoint_format": "gptq_v2"}`},
	{"gptq3", `{"quant_method": "gptq", "bits": 3, "group_size": 32}`},
	{"gptq8", `{"quant_method": "gptq", "bits": 8, "group_size": 16}`},
	{"awq", `{"quant_method": "awq", "bits": 4, "group_size": 16, "version": "gemm"}`},
	{"bitsandbytes", `{"quant_method": "bitsandbytes", "load_in_4bit": true}`},
	{"pack-quantized", `{"quant_method": "compressed-tensors", "format": "pack-quantized", "config_groups": {"group_0": {"weights": {"num_bits": 4}}}}`},
	{"pack-reordered", `{"quant_method": "compressed-tensors", "format": "pack-quantized", "config_groups": {"group_0": {"weights": {"num_bits": 4, "group_size": 16, "actorder": "group"}}}}`},
	{"float-quantized", `{"quant_method": "compressed-tensors", "format": "float-quantized", "config_groups": {"group_0": {"weights": {"num_bits": 8, "block_structure": [4, 5]}}}}`},
}

// TestQuantised compares the weights of checkpoints made by other quantisers with what these say (testdata/quantised).
func TestQuantised(t *testing.T) {
	for _, q := range quantisers {
		t.Run(q.file, func(t *testing.T) {
			c, err := Open(quantisedDirectory(t, q.file, q.config))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if c.Config()["quantization_config"] != nil {
				t.Error("specifications still see the quantisation")
			}
			compared := 0
			for _, x := range c.Tensors() {
				name, wanted := strings.CutPrefix(x.Name, "want/")
				switch {
				case wanted:
					compared++
					compareTensor(t, c, name, x)
				case !strings.HasSuffix(x.Name, ".weight"):
					t.Errorf("tensor %s is not hidden", x.Name)
				}
			}
			if compared == 0 {
				t.Error("nothing was compared")
			}
		})
	}
}

// compareTensor reads a tensor as a whole and row by row, and compares it with another.
func compareTensor(t *testing.T, c *Checkpoint, name string, want Tensor) {
	t.Helper()
	have, ok := c.Tensor(name)
	if !ok || have.Elements() != want.Elements() {
		t.Fatalf("tensor %s is %v, expected shape %v", name, have.Shape, want.Shape)
	}
	a, b := make([]float32, want.Elements()), make([]float32, want.Elements())
	if err := c.ReadElements(want.Name, 0, len(a), a); err != nil {
		t.Fatal(err)
	}
	rows, width := have.Row()
	for r := range rows {
		if err := c.ReadF32(name, r, 1, b[r*width:][:width]); err != nil {
			t.Fatal(err)
		}
	}
	for i, v := range b {
		if d := math.Abs(float64(v - a[i])); !(d <= 3e-7*math.Abs(float64(a[i]))) {
			t.Fatalf("%s: element %d is %v, expected %v", name, i, v, a[i])
		}
	}
}

// TestQuantisedErrors gives configurations that do not fit the tensors, or that are not supported.
func TestQuantisedErrors(t *testing.T) {
	for _, c := range []struct{ file, config, want string }{
		{"gptq", `{"quant_method": "gptq", "bits": 5}`, "5 bits are not supported"},
		{"gptq", `{"quant_method": "gptq", "bits": 4, "group_size": 32}`, "do not fit together"},
		{"gptq", `{"quant_method": "gptq", "bits": 8, "group_size": 16}`, "do not fit together"},
		{"gptq", `{"quant_method": "gptq", "bits": 3, "group_size": 16}`, "do not fit together"},
		{"gptq", `{"quant_method": "gptq", "bits": "four"}`, "bits is four, expected a whole number"},
		{"gptq", `{"quant_method": "gptq", "group_size": 0}`, "group_size is 0"},
		{"awq", `{"quant_method": "awq", "bits": 4, "group_size": 16, "version": "gemv"}`, `version "gemv" is not supported`},
		{"pack-quantized", `{"quant_method": "compressed-tensors", "format": "pack-quantized"}`, "names no number of bits"},
		{"pack-quantized", `{"quant_method": "compressed-tensors", "format": "pack-quantized", "config_groups": {"g": {"weights": {"num_bits": 8}}}}`, "in words of 4"},
		{"pack-quantized", `{"quant_method": "compressed-tensors", "format": "marlin-24"}`, `format "marlin-24" is not supported`},
		{"float-quantized", `{"quant_method": "compressed-tensors", "format": "float-quantized"}`, "does not divide 10 × 12"},
	} {
		_, err := Open(quantisedDirectory(t, c.file, c.config))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: error %v, expected %q", c.file, c.config, err, c.want)
		}
	}
}
