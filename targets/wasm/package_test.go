package wasm

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tfgen/tfgen/runtime/sample"
)

// demo builds the package of the model that ships with the repository.
func demo(t *testing.T, dir string) {
	t.Helper()
	out, err := exec.Command("go", "run", "../../cmd/tfgen", "build", "../../tests/demo-model", "--target", "wasm", "-o", dir,
		"--package", "gocode", "--title", "gocode-4m", "--weights", "bf16", "--no-progress").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// choice is what a sampler of the Go package makes of logits.
type choice struct {
	Options map[string]any `json:"options"`
	Logits  []float32      `json:"logits"`
	History []int32        `json:"history"`
	Tokens  []int32        `json:"tokens"`
}

// choices samples with many settings.
func choices(t *testing.T) (list []choice) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	for i, o := range []sample.Options{
		{}, {Temperature: 1}, {Temperature: 0.7, Seed: 1}, {Temperature: 1.3, TopK: 5, Seed: 1<<63 + 12345}, {Temperature: 1, TopP: 0.9, Seed: 3},
		{Temperature: 1, TopP: 0.1}, {Temperature: 2, MinP: 0.05, Seed: 9}, {Temperature: 1, TopK: 40, TopP: 0.95, MinP: 0.02, Seed: 4},
		{RepetitionPenalty: 1.3}, {Temperature: 0.9, RepetitionPenalty: 1.2, TopP: 0.8, Seed: 11}, {Temperature: 1, TopK: 1 << 20, Seed: 5},
	} {
		for _, n := range []int{1, 7, 500, 4000} {
			c := choice{Logits: make([]float32, n), History: []int32{}, Tokens: []int32{}, Options: map[string]any{
				"temperature": o.Temperature, "topK": o.TopK, "topP": o.TopP, "minP": o.MinP, "repetitionPenalty": o.RepetitionPenalty, "seed": jsonUint(o.Seed)}}
			for j := range c.Logits {
				c.Logits[j] = float32(random.NormFloat64() * 3)
				if i%2 == 1 { // many equal ones
					c.Logits[j] = float32(int(c.Logits[j]))
				}
			}
			for range 5 {
				c.History = append(c.History, int32(random.IntN(n)))
			}
			s, err := sample.New(o)
			if err != nil {
				t.Fatal(err)
			}
			for range 20 {
				id, err := s.Next(c.Logits, c.History, len(c.History))
				if err != nil {
					t.Fatal(err)
				}
				c.Tokens = append(c.Tokens, id)
			}
			list = append(list, c)
		}
	}
	return list
}

// jsonUint writes a number that JavaScript cannot hold as a text.
func jsonUint(v uint64) string {
	data, _ := json.Marshal(v)
	return string(data)
}

// TestPackage uses the package of the demo model in Node.
func TestPackage(t *testing.T) {
	node(t)
	dir := filepath.Join(t.TempDir(), "gocode")
	demo(t, dir)
	t.Run("npm pack", func(t *testing.T) { pack(t, dir) })
	data, err := json.Marshal(choices(t))
	if err != nil {
		t.Fatal(err)
	}
	samples := filepath.Join(t.TempDir(), "samples.json")
	if err := os.WriteFile(samples, data, 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{dir, "../../tests/demo-model/golden.json", samples}
	if os.Getenv("TFGEN_SHARED") != "" { // the exhaustive suites
		args = append(args, "100")
	}
	script(t, "package.mjs", args...)
}

// TestSource uses the package of an encoder–decoder in Node.
func TestSource(t *testing.T) {
	node(t)
	dir := filepath.Join(t.TempDir(), "t5")
	out, err := exec.Command("go", "run", "../../cmd/tfgen", "build", "../../gen/golden/testdata/t5", "--target", "wasm", "-o", dir, "--package", "t5",
		"--no-progress").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	script(t, "source.mjs", dir)
}

// pack holds that `npm pack` gives a tarball that can be installed and used by name.
func pack(t *testing.T, dir string) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("npm is not installed")
	}
	project := t.TempDir()
	cmd := exec.Command(npm, "pack", "--silent", "--offline", "--pack-destination", project)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm pack: %v\n%s", err, out)
	}
	modules := filepath.Join(project, "node_modules")
	if err := os.Mkdir(modules, 0o755); err != nil {
		t.Fatal(err)
	}
	run := func(name string, args ...string) {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = project
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	run("tar", "-xzf", "gocode-1.0.0.tgz")
	run("mv", "package", filepath.Join(modules, "gocode"))
	run("node", "--input-type=module", "-e", `
import { load } from "gocode";
const model = await load();
const text = await model.generate("package ", { maxTokens: 4 }).text();
model.close();
if (text === "") throw new Error("no text");`)
}
