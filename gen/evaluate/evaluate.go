// Package evaluate measures what a weight format costs: it compiles a model twice, runs both versions over a text side by
// side, and compares what they predict.
package evaluate

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/tfgen/tfgen/gen/bundle"
)

// Names of the two packages.
const (
	Reference = "reference"
	Candidate = "candidate"
)

// Task is what the program that is linked with both packages does.
type Task struct {
	Text   string `json:"text"`
	Window int    `json:"window"` // tokens of a sequence; the text is cut into as many as it fills
	Tokens int    `json:"tokens"` // at most, of the text
	Layers int    `json:"layers"` // tokens over which hidden states are compared
}

// Report is the comparison. Perplexity is e to the mean negative log-likelihood of each token but the first of a window,
// in nats; KL is Σ p·ln(p/q) of the reference's distribution p and the candidate's q.
type Report struct {
	Tokens     int     `json:"tokens"` // predictions compared
	Reference  float64 `json:"reference_perplexity"`
	Candidate  float64 `json:"candidate_perplexity"`
	MeanKL     float64 `json:"mean_kl"`
	HighKL     float64 `json:"kl_99"` // 99 % of the predictions have at most this
	Top1       float64 `json:"top1"`  // share of predictions with the same most probable token
	LayerError []Layer `json:"layers"`
}

// Layer is the error of the hidden state behind a layer: the norm of the difference over the norm of the reference.
type Layer struct {
	Name  string  `json:"name"`
	Error float64 `json:"error"`
}

//go:embed program.txt
var program string

// Program compiles both packages with a program that compares them. The bundles are named Reference and Candidate and
// were made with Trace; module is a directory with the runtime, work an empty directory.
func Program(ctx context.Context, reference, candidate *bundle.Bundle, module, work string, progress func(done, total int64, name string)) (string, error) {
	for _, b := range []*bundle.Bundle{reference, candidate} {
		if len(b.Plan.Graph.States) == 0 || b.Plan.Graph.Output("logits") == nil {
			return "", errors.New("only models that predict the next token can be evaluated")
		}
		if b.Tokenizer == nil {
			return "", errors.New("the checkpoint has no tokenizer, so that no text can be evaluated")
		}
		if err := write(ctx, b, filepath.Join(work, b.Options.Package), progress); err != nil {
			return "", err
		}
	}
	text := strings.NewReplacer("$reference", filepath.Join(work, Reference), "$candidate", filepath.Join(work, Candidate)).Replace(program)
	mod := "module tfgen.local/evaluate\n\ngo 1.26\n\nrequire github.com/tfgen/tfgen v0.0.0\n\nreplace github.com/tfgen/tfgen => " + module + "\n"
	for name, text := range map[string]string{"main.go": text, "go.mod": mod} {
		if err := os.WriteFile(filepath.Join(work, name), []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	binary := filepath.Join(work, "evaluate")
	cmd := exec.CommandContext(ctx, "go", "build", "-mod=mod", "-o", binary, ".")
	cmd.Dir = work
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0", "GOPROXY=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("compiling the generated packages: %w\n%s", err, out)
	}
	return binary, nil
}

// write puts the package and its weights into a directory.
func write(ctx context.Context, b *bundle.Bundle, dir string, progress func(done, total int64, name string)) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "weights"))
	if err != nil {
		return err
	}
	if err := errors.Join(b.WriteWeights(ctx, f, progress), f.Close()); err != nil {
		return err
	}
	files, err := b.Files()
	if err != nil {
		return err
	}
	for _, file := range files {
		path := filepath.Join(dir, file.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, file.Data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Run runs the program on a task.
func Run(ctx context.Context, binary string, task Task) (Report, error) {
	var r Report
	in, err := json.Marshal(task)
	if err != nil {
		return r, err
	}
	cmd := exec.CommandContext(ctx, binary)
	var log bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &log
	out, err := cmd.Output()
	if err != nil {
		return r, fmt.Errorf("%w: %s", err, strings.TrimSpace(log.String()))
	}
	return r, json.Unmarshal(out, &r)
}
