package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/tfgen/tfgen/gen/bundle"
	"github.com/tfgen/tfgen/gen/checkpoint"
	"github.com/tfgen/tfgen/gen/importance"
	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// weighing are the flags that say how much columns of weights count when they are quantised.
type weighing struct {
	imatrix   string
	calibrate string
	tokens    int
	save      string
}

// flags adds the flags.
func (w *weighing) flags(f *flag.FlagSet) {
	f.StringVar(&w.imatrix, "imatrix", "", "a `file` with an importance matrix of llama.cpp: columns whose inputs are large are quantised with less error")
	f.StringVar(&w.calibrate, "calibrate", "", "a `file` with a text: the same from running the model over it, in float64 (8 bytes of memory a parameter)")
	f.StringVar(&w.save, "save-imatrix", "", "write what --calibrate finds to a `file` that --imatrix reads")
	f.IntVar(&w.tokens, "calibrate-tokens", 1024, "use at most so many tokens of the text; 0: all")
}

// weigh finds out how much columns count, if a flag asks for it.
func (o *buildOptions) weigh(ctx context.Context, w *weighing, stderr io.Writer) (err error) {
	switch {
	case w.imatrix != "" && w.calibrate != "":
		return errors.New("give one of --imatrix and --calibrate")
	case w.save != "" && w.calibrate == "":
		return errors.New("--save-imatrix writes what --calibrate finds: give that too")
	case w.imatrix != "":
		o.Importance, err = importance.Open(w.imatrix)
	case w.calibrate != "":
		o.Importance, err = o.calibrated(ctx, w, stderr)
	}
	return err
}

// calibrated runs the model in float64 over a text, and saves what it finds if that is wanted.
func (o *buildOptions) calibrated(ctx context.Context, w *weighing, stderr io.Writer) (importance.Matrix, error) {
	text, err := os.ReadFile(w.calibrate)
	if err != nil {
		return nil, err
	}
	c, err := checkpoint.Open(o.model)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	plain := *o
	plain.Weights, plain.KV, plain.Dump = "f32", "", nil
	b, err := compile(&plain, goBackend, bundle.FromCheckpoint(c))
	if err != nil {
		return nil, err
	}
	if b.Tokenizer == nil {
		return nil, errors.New("the checkpoint has no tokenizer, so that no text can be used for calibration: give an importance matrix")
	}
	t, err := tokenizer.Load(b.Tokenizer)
	if err != nil {
		return nil, err
	}
	ids := t.Encode(string(text), true)
	if w.tokens > 0 && len(ids) > w.tokens {
		ids = ids[:w.tokens]
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("%s has no tokens", w.calibrate)
	}
	m, err := importance.Collect(ctx, b.Plan.Graph, b.Source, ids, func(done int) {
		fmt.Fprintf(stderr, "\rcalibrating: %d of %d tokens", done, len(ids))
	})
	fmt.Fprintln(stderr)
	if err != nil || w.save == "" {
		return m, err
	}
	return m, saveImportance(w.save, m, filepath.Base(w.calibrate), len(ids))
}

// saveImportance writes an importance matrix from so many tokens of a text.
func saveImportance(path string, m importance.Matrix, text string, tokens int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(m.Write(f, text, tokens), f.Close())
}
