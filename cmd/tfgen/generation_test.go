package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/decoding"
)

// generation runs tfgen generation with arguments.
func generation(args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = run(context.Background(), append([]string{"generation"}, args...), &o, &e)
	return code, o.String(), e.String()
}

func TestGenerationVerify(t *testing.T) {
	const golden = "../../gen/decoding/testdata/golden/"
	code, out, _ := generation("verify", golden+"chains.jsonl.gz")
	if code != 0 || !strings.Contains(out, "17 equal, 0 different") {
		t.Errorf("exit %d, %q", code, out)
	}
	code, out, _ = generation("verify", "--json", golden+"chains.jsonl.gz")
	var reports []decoding.Report
	if err := json.Unmarshal([]byte(out), &reports); code != 0 || err != nil || reports[0].Passed["chain"] != 17 {
		t.Errorf("exit %d, %v, %q", code, err, out)
	}
	wrong := filepath.Join(t.TempDir(), "wrong.jsonl")
	text := `{"vectors":{"v":[[1,2]]},"input_ids":[[0]]}` + "\n" + `{"processor":"TopKLogitsWarper","args":{"top_k":1},"vector":"v","expected":[[1,2]]}`
	if err := os.WriteFile(wrong, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := generation("verify", wrong)
	if code != 1 || !strings.Contains(out, "token 0 is -Inf, expected 1") || !strings.Contains(errs, "1 records differ") {
		t.Errorf("exit %d, %q, %q", code, out, errs)
	}
}

func TestGenerationSteps(t *testing.T) {
	code, out, _ := generation("steps")
	if code != 0 || !strings.HasPrefix(out, "SequenceBiasLogitsProcessor\n") || !strings.Contains(out, "TopKLogitsWarper\nTopPLogitsWarper\n") {
		t.Errorf("exit %d, %q", code, out)
	}
	if code, _, _ := generation(); code != 2 {
		t.Errorf("exit %d without arguments", code)
	}
	if code, _, _ := generation("nothing"); code != 2 {
		t.Errorf("exit %d for an unknown action", code)
	}
}
