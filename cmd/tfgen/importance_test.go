package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSaveImportance saves a calibration and builds from the file: the weights are the same, and not those without it.
func TestSaveImportance(t *testing.T) {
	dir := t.TempDir()
	text, saved := filepath.Join(dir, "text.go"), filepath.Join(dir, "demo.imatrix")
	if err := os.WriteFile(text, []byte(strings.Repeat("func (r *Reader) Read(p []byte) (n int, err error) {\n", 4)), 0o644); err != nil {
		t.Fatal(err)
	}
	weights := func(name string, flags ...string) []byte {
		out := filepath.Join(dir, name)
		status, _, log := execute(t, context.Background(), append([]string{"build", demo, "-o", out, "--package", "gocode", "--weights", "q4", "--no-progress"}, flags...)...)
		if status != 0 {
			t.Fatal(log)
		}
		data, err := os.ReadFile(filepath.Join(out, "gocode.weights"))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	calibrated := weights("calibrated", "--calibrate", text, "--calibrate-tokens", "40", "--save-imatrix", saved)
	if !bytes.Equal(weights("again", "--imatrix", saved), calibrated) {
		t.Error("the saved matrix makes other weights than the calibration")
	}
	if bytes.Equal(weights("plain"), calibrated) {
		t.Error("the calibration changes nothing")
	}
	if status, _, log := execute(t, context.Background(), "build", demo, "-o", filepath.Join(dir, "x"), "--save-imatrix", saved); status == 0 || !strings.Contains(log, "--calibrate") {
		t.Errorf("--save-imatrix without --calibrate: status %d, %s", status, log)
	}
}
