package amd64_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/asm/amd64"
	"github.com/tfgen/tfgen/asm/amd64/dividend/generate"
	"github.com/tfgen/tfgen/asm/kernel"
)

// TestDividendIsFresh compares the files of package dividend with what the emitter writes now.
func TestDividendIsFresh(t *testing.T) {
	files, err := generate.Files()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		have, err := os.ReadFile(filepath.Join("dividend", name))
		if err != nil || !bytes.Equal(have, text) {
			t.Errorf("dividend/%s is stale (%v): run go generate ./asm/amd64/dividend", name, err)
		}
	}
}

// TestEmitRuntimeRejects checks that only products in float32 have a form with run-time shapes.
func TestEmitRuntimeRejects(t *testing.T) {
	_, _, err := amd64.EmitRuntime("p", "h", []kernel.Kernel{{Op: "gemm", S: "bf16", D: []int{8}}}, nil, nil)
	if err == nil || !strings.Contains(err.Error(), "float32 weights") {
		t.Errorf("bfloat16 with run-time shapes: %v", err)
	}
}
