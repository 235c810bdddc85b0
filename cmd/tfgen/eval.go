package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/tfgen/tfgen/gen/bundle"
	"github.com/tfgen/tfgen/gen/evaluate"
)

const evalHelp = `usage: tfgen eval MODEL [SPEC] --weights FORMAT --text FILE [flags]

Measures what a weight format costs. The model is compiled twice, with the reference's format and with the one in
question, and both versions predict every token of a text: perplexity, the Kullback–Leibler divergence between their
predictions, how often they agree on the most probable token, and the relative error of the hidden state behind every
layer.

Examples:

  tfgen eval DIR --weights q4k --text book.txt --tokens 0
  tfgen eval model.gguf --weights source --kv q8 --text book.txt --json
`

// evaluation is what eval prints.
type evaluation struct {
	Model           string `json:"model"`
	ReferenceFormat string `json:"reference_format"`
	CandidateFormat string `json:"candidate_format"`
	ReferenceBytes  int64  `json:"reference_bytes"`
	CandidateBytes  int64  `json:"candidate_bytes"`
	evaluate.Report
}

// runEval is the eval command.
func runEval(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o := &buildOptions{}
	f := newFlags("eval", evalHelp, stderr)
	f.StringVar(&o.Weights, "weights", "source", weightsHelp)
	f.StringVar(&o.KV, "kv", "f32", kvHelp)
	o.weighing.flags(f)
	base := f.String("reference", "f32", "format to compare with")
	file := f.String("text", "", "file with the text")
	window := f.Int("window", 512, "tokens of a sequence: the text is cut into such windows")
	tokens := f.Int("tokens", 4096, "use at most so many tokens of the text; 0: all")
	asJSON := f.Bool("json", false, "print JSON")
	quiet := f.Bool("no-progress", false, "show no progress")
	if err := o.parse(f, args); err != nil {
		return err
	}
	if *file == "" || *window < 2 {
		f.Usage()
		return errUsage
	}
	text, err := os.ReadFile(*file)
	if err != nil {
		return err
	}
	own := *o
	own.defaults()
	if err := own.weigh(ctx, &o.weighing, stderr); err != nil {
		return err
	}
	o.Importance = own.Importance
	e := evaluation{Model: o.model, ReferenceFormat: *base, CandidateFormat: o.Weights}
	task := evaluate.Task{Text: string(text), Window: *window, Tokens: *tokens, Layers: 32}
	if err := e.run(ctx, o, task, newProgress(stderr, *quiet)); err != nil {
		return err
	}
	if *asJSON {
		enc := json.NewEncoder(stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(e)
	}
	return e.print(stdout)
}

// run compiles both versions and compares them.
func (e *evaluation) run(ctx context.Context, o *buildOptions, task evaluate.Task, p *progress) error {
	work, err := os.MkdirTemp("", "tfgen-eval-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	module, err := runtimeModule(filepath.Join(work, "tfgen"))
	if err != nil {
		return err
	}
	dir := filepath.Join(work, "program")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	var bundles []*bundle.Bundle
	for _, v := range []struct {
		pkg, format string
		bytes       *int64
	}{{evaluate.Reference, e.ReferenceFormat, &e.ReferenceBytes}, {evaluate.Candidate, e.CandidateFormat, &e.CandidateBytes}} {
		own := *o
		own.Package, own.Title, own.Weights, own.Trace, own.Context = v.pkg, o.model, v.format, true, 0
		if v.pkg == evaluate.Reference {
			own.KV, own.Importance = "f32", nil
		}
		b, closeModel, err := prepare(&own, goBackend)
		if err != nil {
			return err
		}
		defer closeModel()
		*v.bytes = b.WeightsSize()
		bundles = append(bundles, b)
	}
	binary, err := evaluate.Program(ctx, bundles[0], bundles[1], module, dir, p.show)
	if err != nil {
		return err
	}
	p.done()
	e.Report, err = evaluate.Run(ctx, binary, task)
	return err
}

// print prints the evaluation for people.
func (e *evaluation) print(out io.Writer) error {
	if e.Tokens == 0 {
		return errors.New("nothing was compared")
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "weights\t%s\t%s\n", e.ReferenceFormat, e.CandidateFormat)
	fmt.Fprintf(w, "size\t%s\t%s\n", size(e.ReferenceBytes), size(e.CandidateBytes))
	fmt.Fprintf(w, "perplexity of %d tokens\t%.4f\t%.4f (%+.2f %%)\n", e.Tokens, e.Report.Reference, e.Report.Candidate, 100*(e.Report.Candidate/e.Report.Reference-1))
	fmt.Fprintf(w, "KL divergence\tmean %.5f\t99 %% below %.5f\n", e.MeanKL, e.HighKL)
	fmt.Fprintf(w, "same most probable token\t%.2f %%\n\n", 100*e.Top1)
	fmt.Fprintln(w, "hidden state\trelative error")
	for _, l := range e.LayerError {
		fmt.Fprintf(w, "%s\t%.5f\n", l.Name, l.Error)
	}
	return w.Flush()
}
