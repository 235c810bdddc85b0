package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const hunyuan = "../../gen/verify/testdata/decoders/hunyuan-dense"

// runSpecText runs the command and returns its output.
func runSpecText(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out, errs bytes.Buffer
	err := specCommands.run(context.Background(), args, &out, &errs)
	if err == errUsage {
		t.Fatalf("%v: %s", args, errs.String())
	}
	return out.String(), err
}

var diffBlock = regexp.MustCompile("(?s)```diff\n(.*?)```")

// edits are the diffs of the worked example: texts and what replaces them.
func edits(t *testing.T) [][2]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/adding-an-architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	var list [][2]string
	for _, m := range diffBlock.FindAllStringSubmatch(string(text), -1) {
		var edit [2]string
		for line := range strings.Lines(m[1]) {
			if line[0] == '-' {
				edit[0] += line[1:]
			} else {
				edit[1] += line[1:]
			}
		}
		list = append(list, edit)
	}
	return list
}

// TestWorkedExample follows docs/adding-an-architecture.md from a config.json to parity.
func TestWorkedExample(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hunyuan.yaml")
	report, err := runSpecText(t, "new", "hunyuan", "--from", hunyuan, "--like", "llama", "-o", file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"model.layers.*.self_attn.key_layernorm.weight    2 × [10]", "attention › linear  model.layers.*.self_attn.q_proj.weight"} {
		if !strings.Contains(report, want) {
			t.Errorf("the report lacks %q:\n%s", want, report)
		}
	}
	results := []string{}
	all := edits(t)
	if len(all) != 2 {
		t.Fatalf("the example has %d edits", len(all))
	}
	for _, e := range all {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), e[0]) {
			t.Fatalf("the draft lacks %q", e[0])
		}
		if err := os.WriteFile(file, []byte(strings.Replace(string(text), e[0], e[1], 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		err = runVerify(context.Background(), []string{"--quiet", "--levels", "portable", "--spec", file, hunyuan}, &out, &out)
		results = append(results, out.String())
		if off := err != nil; off != (len(results) == 1) {
			t.Errorf("after edit %d: %v\n%s", len(results), err, out.String())
		}
	}
	if !strings.Contains(results[0], "short hidden/1  FAIL") {
		t.Errorf("the first layer that is off is not named:\n%s", results[0])
	}
}

// TestSpecNewPicksTheSpecification drafts from cases of several architectures: each is explained by its own specification.
func TestSpecNewPicksTheSpecification(t *testing.T) {
	for name, like := range map[string]string{"gpt-j-inner": "gptj", "glm4": "glm4", "olmo2": "olmo2", "opt-plain": "opt"} {
		file := filepath.Join(t.TempDir(), "draft.yaml")
		text, err := runSpecText(t, "new", "draft", "--from", "../../gen/verify/testdata/decoders/"+name, "-o", file, "--json")
		if err != nil {
			t.Fatal(err)
		}
		var r struct {
			Like        string           `json:"like"`
			Score       float64          `json:"score"`
			Unexplained []map[string]any `json:"unexplained"`
		}
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatal(err)
		}
		if r.Like != like || r.Score != 1 || len(r.Unexplained) != 0 {
			t.Errorf("%s: %+v", name, r)
		}
		if _, err := runSpecText(t, "check", file); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := runSpecText(t, "new", "draft", "--from", hunyuan, "-o", file); err == nil || !strings.Contains(err.Error(), "--force") {
			t.Errorf("a file was replaced: %v", err)
		}
	}
}

// TestSpecExplain shows graphs of a specification and of a model.
func TestSpecExplain(t *testing.T) {
	text, err := runSpecText(t, "explain", "qwen3")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"specs/qwen3.yaml, Qwen3ForCausalLM (causal-lm)", "layer00:\n", "attend(", "# specs/qwen3.yaml:", "output logits:"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	text, err = runSpecText(t, "explain", "../../tests/demo-model")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, ": like layer01\n") || strings.Contains(text, "layer02:") {
		t.Errorf("equal layers are repeated:\n%s", text)
	}
	if _, err := runSpecText(t, "explain", "no-such"); err == nil || !strings.Contains(err.Error(), "no specification is called") {
		t.Error(err)
	}
}

// TestSupportTable holds docs/architectures.md to the specifications: make support writes it.
func TestSupportTable(t *testing.T) {
	table, err := runSpecText(t, "table")
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile("../../docs/architectures.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(table) {
		row, found := strings.CutSuffix(line, " none |\n")
		if found && !strings.Contains(string(file), "\n"+row+" ") {
			t.Errorf("docs/architectures.md is old (make support writes it): it lacks %s", row)
		}
	}
}
