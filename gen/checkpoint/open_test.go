package checkpoint

import (
	"os"
	"path/filepath"
	"testing"
)

// TestDemo opens the demo model as published and reads some of it.
func TestDemo(t *testing.T) {
	shared := os.Getenv("TFGEN_SHARED")
	if shared == "" {
		t.Skip("TFGEN_SHARED is not set")
	}
	c, err := Open(filepath.Join(shared, "demo-model"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, x := range c.Tensors() {
		rows, values := x.Row()
		all := make([]float32, rows*values)
		if err := c.ReadF32(x.Name, 0, rows, all); err != nil {
			t.Fatal(err)
		}
		row := make([]float32, values)
		if err := c.ReadF32(x.Name, rows-1, 1, row); err != nil {
			t.Fatal(err)
		}
		for i, v := range row {
			if v != all[(rows-1)*values+i] {
				t.Fatalf("%s: the last row differs from the whole tensor at %d", x.Name, i)
			}
		}
	}
	if d, err := c.Digest(); err != nil || len(d) != 64 {
		t.Errorf("digest %q, %v", d, err)
	}
	if c.Config()["model_type"] != "llama" {
		t.Errorf("model_type is %v", c.Config()["model_type"])
	}
}
