// Package real compares generated programs of published models with the values that transformers computes in float64.
package real

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tfgen/tfgen/gen/bundle"
	"github.com/tfgen/tfgen/gen/checkpoint"
)

// need returns a path below the directory that an environment variable names, or skips the test.
func need(t *testing.T, variable string, elem ...string) string {
	t.Helper()
	root := os.Getenv(variable)
	if root == "" {
		t.Skipf("%s is not set: the data of this test is not here", variable)
	}
	path := filepath.Join(append([]string{root}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no %s", path)
	}
	return path
}

// generate builds a package of a checkpoint in a module of its own, with a main program, and returns the binary.
func generate(t *testing.T, model string, o bundle.Options, program string) (binary, weights string) {
	t.Helper()
	c, err := checkpoint.Open(model)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	src := bundle.FromCheckpoint(c)
	b, err := bundle.New(src, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	if b.Tokenizer, err = src.Tokenizer(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	weights = filepath.Join(dir, o.Package, o.Package+".weights")
	write(t, weights, nil)
	f, err := os.Create(weights)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.WriteWeights(context.Background(), f, nil); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := b.Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		write(t, filepath.Join(dir, o.Package, f.Name), f.Data)
	}
	module, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "main.go"), []byte(program))
	write(t, filepath.Join(dir, "go.mod"), []byte("module tfgen.local/real\n\ngo 1.26\n\nrequire github.com/tfgen/tfgen v0.0.0\n\nreplace github.com/tfgen/tfgen => "+module+"\n"))
	binary = filepath.Join(dir, "program")
	cmd := exec.Command("go", "build", "-mod=mod", "-o", binary, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOPROXY=off", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary, weights
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// run gives a program a question as JSON and decodes its answer.
func run(t *testing.T, binary, weights string, question, answer any) {
	t.Helper()
	in, err := json.Marshal(question)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, weights)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, answer); err != nil {
		t.Fatal(err)
	}
}

// readJSON decodes a file of expected values.
func readJSON(t *testing.T, path string, v any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}

// tensor reads a tensor of expected values.
func tensor(t *testing.T, dir, name string) []float32 {
	t.Helper()
	c, err := checkpoint.Open(filepath.Join(dir, "golden.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	x, ok := c.Tensor(name)
	if !ok {
		t.Fatalf("no tensor %s in %s", name, dir)
	}
	values := make([]float32, x.Elements())
	if err := c.ReadElements(name, 0, len(values), values); err != nil {
		t.Fatal(err)
	}
	return values
}

const embedProgram = `package main

import (
	"context"
	"encoding/json"
	"log"
	"os"

	"tfgen.local/real/minilm"
)

func main() {
	var texts []string
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		log.Fatal(err)
	}
	m, err := minilm.Open(os.Args[1], minilm.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	vectors, err := m.Embed(context.Background(), texts)
	if err != nil {
		log.Fatal(err)
	}
	json.NewEncoder(os.Stdout).Encode(vectors)
}
`

// TestMiniLM compares sentence embeddings of 64 texts, from text to vector.
func TestMiniLM(t *testing.T) {
	dir := need(t, "TFGEN_SHARED", "golden", "real", "all-minilm-l6-v2")
	model := need(t, "TFGEN_MODELS", "all-minilm-l6-v2")
	var golden struct{ Texts []string }
	readJSON(t, filepath.Join(dir, "golden.json"), &golden)
	want := tensor(t, dir, "embeddings")
	binary, weights := generate(t, model, bundle.Options{Package: "minilm", Title: "all-MiniLM-L6-v2"}, embedProgram)
	var got [][]float32
	run(t, binary, weights, golden.Texts, &got)
	worst := 0.0
	for i, v := range got {
		for j, x := range v {
			worst = max(worst, math.Abs(float64(x)-float64(want[i*384+j])))
		}
	}
	fmt.Printf("all-MiniLM-L6-v2, %d texts: largest difference %.3g\n", len(got), worst)
	if len(got) != len(golden.Texts) || worst > 1e-5 {
		t.Errorf("the largest difference is %g, allowed 1e-5", worst)
	}
}

const decodeProgram = `package main

import (
	"context"
	"encoding/json"
	"log"
	"math"
	"os"

	"tfgen.local/real/gemma"
)

type question struct {
	Prompts []string
	Greedy  int
	Score   []int32
}

type answer struct {
	IDs    [][]int32
	Logits [][]float32
	Greedy [][]int32
	NLL    []float64
}

func best(logits []float32) (at int32) {
	for i, v := range logits {
		if v > logits[at] {
			at = int32(i)
		}
	}
	return at
}

func main() {
	var q question
	if err := json.NewDecoder(os.Stdin).Decode(&q); err != nil {
		log.Fatal(err)
	}
	m, err := gemma.Open(os.Args[1], gemma.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	ctx := context.Background()
	s, err := m.NewSession(0)
	if err != nil {
		log.Fatal(err)
	}
	var a answer
	for _, prompt := range q.Prompts {
		s.Reset()
		ids := m.Tokenizer().Encode(prompt, true)
		logits, err := s.Prefill(ctx, ids)
		if err != nil {
			log.Fatal(err)
		}
		a.IDs = append(a.IDs, ids)
		a.Logits = append(a.Logits, append([]float32(nil), logits[:4096]...))
		var out []int32
		for range q.Greedy {
			out = append(out, best(logits))
			if logits, err = s.Decode(ctx, out[len(out)-1]); err != nil {
				log.Fatal(err)
			}
		}
		a.Greedy = append(a.Greedy, out)
	}
	s.Reset()
	err = s.Score(ctx, q.Score[:len(q.Score)-1], func(i int, logits []float32) error {
		top, sum := float64(logits[best(logits)]), 0.0
		for _, v := range logits {
			sum += math.Exp(float64(v) - top)
		}
		a.NLL = append(a.NLL, top+math.Log(sum)-float64(logits[q.Score[i+1]]))
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	json.NewEncoder(os.Stdout).Encode(a)
}
`

// gemmaGolden are the values that transformers computes for Gemma 3 270M, and gemmaAnswer those of a generated program.
type gemmaGolden struct {
	Prompts []struct {
		Prompt string
		IDs    []int32 `json:"input_ids"`
		Greedy []int32
		Noise  float64
	}
	Perplexity struct {
		IDs   []int32 `json:"input_ids"`
		Value float64
	}
}

type gemmaAnswer struct {
	IDs    [][]int32
	Logits [][]float32
	Greedy [][]int32
	NLL    []float64
}

// perplexity of the scored text.
func (a *gemmaAnswer) perplexity() float64 {
	mean := 0.0
	for _, v := range a.NLL {
		mean += v / float64(len(a.NLL))
	}
	return math.Exp(mean)
}

// gemma compiles Gemma 3 270M from its GGUF file with a weight format and asks it what the golden values answer.
func gemma(t *testing.T, format string) (dir string, golden gemmaGolden, a gemmaAnswer) {
	t.Helper()
	dir = need(t, "TFGEN_SHARED", "golden", "real", "gemma-3-270m-q4_k_m")
	model := need(t, "TFGEN_MODELS", "gemma-3-270m", "gemma-3-270m-q4_k_m.gguf")
	readJSON(t, filepath.Join(dir, "golden.json"), &golden)
	var q struct {
		Prompts []string
		Greedy  int
		Score   []int32
	}
	for _, p := range golden.Prompts {
		q.Prompts = append(q.Prompts, p.Prompt)
	}
	q.Greedy, q.Score = 32, golden.Perplexity.IDs
	binary, weights := generate(t, model, bundle.Options{Package: "gemma", Title: "Gemma 3 270M", Context: 2048, Weights: format}, decodeProgram)
	run(t, binary, weights, q, &a)
	return dir, golden, a
}

// TestGemma3GGUF compares logits, greedy continuation and perplexity of Gemma 3 270M, read from a quantised GGUF file and
// expanded to float32.
func TestGemma3GGUF(t *testing.T) {
	dir, golden, a := gemma(t, "f32")
	for i, p := range golden.Prompts {
		want := tensor(t, dir, fmt.Sprintf("logits/%d", i))
		worst, size := 0.0, 0.0
		for j, v := range want {
			worst, size = max(worst, math.Abs(float64(v)-float64(a.Logits[i][j]))), max(size, math.Abs(float64(v)))
		}
		fmt.Printf("prompt %d: largest difference of a logit %.3g (noise of transformers' float32: %.3g), ids equal %v, greedy equal %v\n",
			i, worst, p.Noise, equal(a.IDs[i], p.IDs), equal(a.Greedy[i], p.Greedy))
		if worst > 10*p.Noise+1e-5*size || !equal(a.IDs[i], p.IDs) || !equal(a.Greedy[i], p.Greedy) {
			t.Errorf("prompt %d %q: logits differ by %g, ids %v expected %v, greedy %v expected %v", i, p.Prompt, worst, a.IDs[i], p.IDs, a.Greedy[i], p.Greedy)
		}
	}
	got := a.perplexity()
	fmt.Printf("perplexity of %d tokens %.5f, expected %.5f\n", len(a.NLL), got, golden.Perplexity.Value)
	if math.Abs(got/golden.Perplexity.Value-1) > 1e-3 {
		t.Errorf("the perplexity is %v, expected %v within 0.1 %%", got, golden.Perplexity.Value)
	}
}

func equal(a, b []int32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// TestGemma3Quantised keeps the blocks of the GGUF file: inputs of products are rounded to 8 bits, which may cost 0.5 % of
// perplexity, and most greedy tokens stay the same.
func TestGemma3Quantised(t *testing.T) {
	_, golden, a := gemma(t, "source")
	same, total := 0, 0
	for i, p := range golden.Prompts {
		n := 0
		for n < len(p.Greedy) && a.Greedy[i][n] == p.Greedy[n] {
			n++
		}
		fmt.Printf("prompt %d: the first %d of %d greedy tokens equal\n", i, n, len(p.Greedy))
		same, total = same+n, total+len(p.Greedy)
	}
	got := a.perplexity()
	fmt.Printf("perplexity of %d tokens %.5f, expected %.5f\n", len(a.NLL), got, golden.Perplexity.Value)
	if math.Abs(got/golden.Perplexity.Value-1) > 0.005 || 2*same < total {
		t.Errorf("perplexity %g, expected %g; %d of %d greedy tokens are the same", got, golden.Perplexity.Value, same, total)
	}
}
