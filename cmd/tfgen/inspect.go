package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/tfgen/tfgen/gen/bundle"
)

const inspectHelp = `usage: tfgen inspect MODEL [SPEC] [flags]

Says what a model is and what it will take, before a weight is read: parameters, every tensor with its source, type and
place, and the exact bytes of weights, activations and state.

Examples:

  tfgen inspect model.gguf --weights source --context 8192 --kv q8
  tfgen inspect DIR --json | jq .peak
`

// runInspect is the inspect command.
func runInspect(_ context.Context, args []string, stdout, stderr io.Writer) error {
	o := &buildOptions{}
	f := newFlags("inspect", inspectHelp, stderr)
	asJSON := f.Bool("json", false, "print JSON")
	f.StringVar(&o.Weights, "weights", "f32", weightsHelp)
	f.StringVar(&o.KV, "kv", "f32", kvHelp)
	f.IntVar(&o.Context, "context", 0, "longest sequence in tokens (default: what the model was made for)")
	workers := f.Int("threads", runtime.GOMAXPROCS(0), "workers, for the peak")
	if err := o.parse(f, args); err != nil {
		return err
	}
	o.defaults()
	b, closeModel, err := prepare(o, goBackend)
	if err != nil {
		return err
	}
	defer closeModel()
	r := b.Report()
	if *asJSON {
		enc := json.NewEncoder(stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			bundle.Report
			Workers int   `json:"workers"`
			Peak    int64 `json:"peak"`
		}{r, *workers, r.Memory.Peak(*workers)})
	}
	return printReport(stdout, r, *workers)
}

// printReport prints the report for people.
func printReport(out io.Writer, r bundle.Report, workers int) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	m := r.Memory
	fmt.Fprintf(w, "architecture\t%s (%s, %s), %s\n", r.Architecture, r.Class, r.Task, r.Spec)
	fmt.Fprintf(w, "parameters\t%s\n", count(r.Parameters))
	fmt.Fprintf(w, "layers\t%d, the largest is %s with %s\n", r.Layers, r.Largest, size(r.LargestBytes))
	fmt.Fprintf(w, "vocabulary\t%s\n", count(int64(r.Vocabulary)))
	fmt.Fprintf(w, "weights (%s)\t%s\n", r.Format, size(m.Weights))
	fmt.Fprintf(w, "activations\t%s\n", size(m.Activations))
	fmt.Fprintf(w, "a worker\t%s\n", size(m.Worker))
	session := ""
	if m.Session > 0 {
		fmt.Fprintf(w, "a session of %s tokens\t%s\n", count(int64(m.Context)), size(m.Session))
		session = ", one session"
	} else {
		fmt.Fprintf(w, "longest sequence\t%s tokens\n", count(int64(m.Context)))
	}
	for _, s := range r.States {
		fmt.Fprintf(w, "  %s\t%s\n", s.Label(), stateText(s))
	}
	fmt.Fprintf(w, "tokenizer\t%s\n", size(m.Tokenizer))
	fmt.Fprintf(w, "peak, %d workers%s\t%s\n", workers, session, size(m.Peak(workers)))
	fmt.Fprintf(w, "ignored tensors\t%d\n\n", len(r.Ignored))
	fmt.Fprintln(w, "offset\tbytes\tlayout\tshape\tpart\tfrom\ttype")
	for _, t := range r.Tensors {
		var names, types []string
		for _, s := range t.Sources {
			names, types = append(names, s.Name), append(types, s.DType)
		}
		note := ""
		if t.Note != "" {
			note = "\t" + t.Note
		}
		fmt.Fprintf(w, "%d\t%d\t%s\t%d×%d\t%s\t%s\t%s%s\n", t.Offset, t.Bytes, t.Layout, t.Rows, t.Cols, t.Region, strings.Join(names, " | "), strings.Join(types, " | "), note)
	}
	return w.Flush()
}

// stateText says what a state takes and holds.
func stateText(s bundle.State) string {
	text := size(int64(len(s.Names)) * s.Bytes)
	if len(s.Names) > 1 {
		text += fmt.Sprintf(", %s each", count(s.Bytes))
	}
	text += ": " + s.Holds
	if s.Positions > 0 {
		text += fmt.Sprintf(", %s positions", count(int64(s.Positions)))
	}
	return text
}

// count formats a number with commas.
func count(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// size formats bytes: exact, and in a unit that people read.
func size(n int64) string {
	v, unit := float64(n), 0
	for v >= 1024 && unit < 4 {
		v, unit = v/1024, unit+1
	}
	if unit == 0 {
		return count(n) + " B"
	}
	return fmt.Sprintf("%s B (%.1f %s)", count(n), v, []string{"B", "KiB", "MiB", "GiB", "TiB"}[unit])
}
