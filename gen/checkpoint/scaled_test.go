package checkpoint

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/checkpoint/dtype"
	"github.com/tfgen/tfgen/gen/checkpoint/safetensors"
)

// directory writes a checkpoint of a configuration and raw tensors and opens it.
func directory(t testing.TB, config string, tensors map[string]raw) (*Checkpoint, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, configName), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	var entries []safetensors.Entry
	for name, r := range tensors {
		entries = append(entries, safetensors.Entry{Name: name, DType: r.dtype, Shape: r.shape, Data: func(w io.Writer) error {
			_, err := w.Write(r.data)
			return err
		}})
	}
	var b bytes.Buffer
	if err := safetensors.Write(&b, nil, entries); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, weightsName), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := Open(dir)
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, err
}

type raw struct {
	dtype dtype.DType
	shape []int
	data  []byte
}

func floats32(values ...float32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

const fp8Config = `{"model_type": "x", "quantization_config": {"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [2, 3]}}`

// TestFP8 reads a matrix of 5 × 7 with blocks of 2 × 3, every range of it.
func TestFP8(t *testing.T) {
	data := make([]byte, 35)
	for i := range data {
		data[i] = 0x38 + byte(i%8) // 1, 1.125, … 1.875
	}
	scales := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9}
	c, err := directory(t, fp8Config, map[string]raw{
		"w": {dtype.F8E4M3, []int{5, 7}, data}, "w_scale_inv": {dtype.F32, []int{3, 3}, floats32(scales...)},
		"b": {dtype.F32, []int{2}, floats32(1, 2)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Config()["quantization_config"]; ok || c.Config()["model_type"] != "x" {
		t.Errorf("the configuration is %v", c.Config())
	}
	var names []string
	for _, x := range c.Tensors() {
		names = append(names, x.Name)
	}
	if !slices.Equal(names, []string{"b", "w"}) {
		t.Errorf("tensors are %v", names)
	}
	for first := range 35 {
		for count := 0; first+count <= 35; count++ {
			dst := make([]float32, count)
			if err := c.ReadElements("w", first, count, dst); err != nil {
				t.Fatal(err)
			}
			for i, v := range dst {
				at := first + i
				if want := (1 + float32(at%8)/8) * scales[at/7/2*3+at%7/3]; v != want {
					t.Fatalf("element %d of %d from %d is %v, expected %v", i, count, first, v, want)
				}
			}
		}
	}
	row := make([]float32, 7)
	if err := c.ReadF32("w", 4, 1, row); err != nil || row[0] != (1+4./8)*7 {
		t.Errorf("row 4 is %v, %v", row, err)
	}
}

// TestMXFP4 reads blocks of [2, 2, 16] bytes, values in the order low half, high half.
func TestMXFP4(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	data, exponents := make([]byte, 64), []byte{127, 128, 120, 1}
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	c, err := directory(t, `{"quantization_config": {"quant_method": "mxfp4"}}`, map[string]raw{
		"e.w_blocks": {dtype.U8, []int{2, 2, 16}, data}, "e.w_scales": {dtype.U8, []int{2, 2}, exponents},
	})
	if err != nil {
		t.Fatal(err)
	}
	x, ok := c.Tensor("e.w_blocks")
	if !ok || !slices.Equal(x.Shape, []int{2, 64}) || len(c.Tensors()) != 1 {
		t.Fatalf("tensors are %v", c.Tensors())
	}
	for first := 0; first < 128; first += 7 {
		dst := make([]float32, 128-first)
		if err := c.ReadElements("e.w_blocks", first, len(dst), dst); err != nil {
			t.Fatal(err)
		}
		for i, v := range dst {
			at := first + i
			nibble := data[at/2] >> (at % 2 * 4) & 15
			want := float32(math.Ldexp([]float64{0, 0.5, 1, 1.5, 2, 3, 4, 6}[nibble&7], int(exponents[at/32])-127))
			if nibble > 7 && want != 0 {
				want = -want
			}
			if v != want {
				t.Fatalf("element %d is %v, expected %v", at, v, want)
			}
		}
	}
}

func TestScaledErrors(t *testing.T) {
	w, one := raw{dtype.F8E4M3, []int{2, 2}, make([]byte, 4)}, floats32(1)
	for _, c := range []struct {
		config, want string
		tensors      map[string]raw
	}{
		{strings.Replace(fp8Config, "[2, 3]", "[2]", 1), "weight_block_size", map[string]raw{"w": w}},
		{strings.Replace(fp8Config, "[2, 3]", "[2, 0]", 1), "weight_block_size", map[string]raw{"w": w}},
		{strings.Replace(fp8Config, "[2, 3]", "null", 1), "weight_block_size", map[string]raw{"w": w}},
		{fp8Config, "is no matrix with scales in w_scale_inv", map[string]raw{"w": w}},
		{fp8Config, "has shape [1], expected [1 1]", map[string]raw{"w": w, "w_scale_inv": {dtype.F32, []int{1}, one}}},
		{`{"quantization_config": {"quant_method": "mxfp4"}}`, "no fitting exponents", map[string]raw{"w_blocks": {dtype.U8, []int{1, 16}, make([]byte, 16)}}},
	} {
		if _, err := directory(t, c.config, c.tensors); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, expected %q", c.config, err, c.want)
		}
	}
	c, err := directory(t, `{"quantization_config": {"quant_method": "mxfp4"}}`, map[string]raw{
		"w_blocks": {dtype.U8, []int{1, 16}, make([]byte, 16)}, "w_scales": {dtype.U8, []int{1}, []byte{255}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.ReadElements("w_blocks", 0, 1, make([]float32, 1)); err == nil || !strings.Contains(err.Error(), "not a number") {
		t.Errorf("an exponent of 255 gives %v", err)
	}
}
