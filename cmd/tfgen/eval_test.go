package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEval compares the demo model in 8 bits with itself in float32: close, but not the same.
func TestEval(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text.go")
	if err := os.WriteFile(text, []byte(strings.Repeat("func (r *Reader) Read(p []byte) (n int, err error) {\n\treturn r.f.Read(p)\n}\n\n", 6)), 0o644); err != nil {
		t.Fatal(err)
	}
	status, out, log := execute(t, context.Background(), "eval", demo, "--weights", "q8", "--text", text, "--window", "64", "--json", "--no-progress")
	if status != 0 {
		t.Fatalf("status %d: %s", status, log)
	}
	var e evaluation
	if err := json.Unmarshal([]byte(out), &e); err != nil {
		t.Fatal(err)
	}
	ratio := e.Report.Candidate / e.Report.Reference
	if e.Tokens < 100 || e.MeanKL <= 0 || e.MeanKL > 0.01 || e.HighKL < e.MeanKL || ratio < 0.98 || ratio > 1.02 || e.Top1 < 0.95 || e.CandidateBytes*3 > e.ReferenceBytes {
		t.Errorf("%+v", e)
	}
	if len(e.LayerError) != 5 || e.LayerError[4].Error <= 0 || e.LayerError[4].Error > 0.1 {
		t.Errorf("layers %+v", e.LayerError)
	}
	status, out, log = execute(t, context.Background(), "eval", demo, "--weights", "f32", "--kv", "f16", "--text", text, "--window", "64", "--json", "--no-progress")
	if err := json.Unmarshal([]byte(out), &e); status != 0 || err != nil || e.MeanKL <= 0 || e.MeanKL > 1e-4 {
		t.Errorf("keys and values in f16: %v, %+v, %s", err, e, log)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"eval", demo, "--text", filepath.Join(t.TempDir(), "none")}, "no such file"},
		{[]string{"eval", "../../gen/golden/testdata/bert-masked-lm", "--text", text}, "only models that predict the next token"},
		{[]string{"eval", demo, "--text", text, "--kv", "q3"}, `cannot be kept as "q3"; f32, f16 and q8 are supported`},
		{[]string{"eval", demo, "--text", text, "--weights", "q9"}, `weight format "q9" is not supported`},
	} {
		if status, _, log := execute(t, context.Background(), c.args...); status != 1 || !strings.Contains(log, c.want) {
			t.Errorf("%v: status %d, %s", c.args, status, log)
		}
	}
}

// TestQuantizeReport checks that the report orders matrices by their loss and that wider formats lose less.
func TestQuantizeReport(t *testing.T) {
	worst := map[string]float64{}
	for _, format := range []string{"q4", "q8", "f32"} {
		status, out, log := execute(t, context.Background(), "quantize", demo, "--report", "--weights", format, "--json")
		var rows []lost
		if err := json.Unmarshal([]byte(out), &rows); status != 0 || err != nil {
			t.Fatal(status, log, err)
		}
		share := 0.0
		for _, r := range rows {
			worst[format] = max(worst[format], r.Error)
			share += r.Share
		}
		if len(rows) != 17 || rows[0].Share < rows[16].Share || worst[format] > 0 && (share < 0.999 || share > 1.001) {
			t.Errorf("%s: %d rows, the shares add up to %v", format, len(rows), share)
		}
	}
	if !(worst["q4"] > worst["q8"] && worst["q8"] > 0 && worst["f32"] == 0) {
		t.Errorf("largest errors %v", worst)
	}
	if status, out, _ := execute(t, context.Background(), "quantize", demo, "--weights", "q4"); status != 0 || !strings.Contains(out, "tile16_q4") {
		t.Errorf("status %d: %s", status, out)
	}
}
