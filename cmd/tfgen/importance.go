package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

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
}

// flags adds the flags.
func (w *weighing) flags(f *flag.FlagSet) {
	f.StringVar(&w.imatrix, "imatrix", "", "a `file` with an importance matrix of llama.cpp: columns whose inputs are large are quantised with less error")
	f.StringVar(&w.calibrate, "calibrate", "", "a `file` with a text: the same from running the model over it, in float64 (8 bytes of memory a parameter)")
	f.IntVar(&w.tokens, "calibrate-tokens", 1024, "use at most so many tokens of the text; 0: all")
}

// weigh finds out how much columns count, if a flag asks for it.
func (o *buildOptions) weigh(ctx context.Context, w *weighing, stderr io.Writer) (err error) {
	switch {
	case w.imatrix != "" && w.calibrate != "":
		return errors.New("give one of --imatrix and --calibrate")
	case w.imatrix != "":
		o.Importance, err = importance.Open(w.imatrix)
	case w.calibrate != "":
		o.Importance, err = o.calibrated(ctx, w, stderr)
	}
	return err
}

// calibrated runs the model in float64 over a text.
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
	defer fmt.Fprintln(stderr)
	return importance.Collect(ctx, b.Plan.Graph, b.Source, ids, func(done int) {
		fmt.Fprintf(stderr, "\rcalibrating: %d of %d tokens", done, len(ids))
	})
}
