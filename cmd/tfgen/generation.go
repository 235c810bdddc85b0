package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/tfgen/tfgen/gen/decoding"
	"github.com/tfgen/tfgen/runtime/sample"
)

const generationHelp = `usage: tfgen generation verify [--json] FILE…
       tfgen generation steps

verify compares recorded results of Hugging Face transformers with what tfgen computes, record by record: files of
logits processors, of chains of processors for generation configs, of decoded sequences (greedy, beam, diverse beam and
contrastive search, prompt lookup) and of stop texts. The exit status is 0 if all agree. steps prints the processors in
the order in which they run.

`

// runGeneration is the generation command.
func runGeneration(_ context.Context, args []string, stdout, stderr io.Writer) error {
	f := flag.NewFlagSet("generation", flag.ContinueOnError)
	asJSON := f.Bool("json", false, "print reports as JSON")
	f.SetOutput(stderr)
	f.Usage = func() { fmt.Fprint(stderr, generationHelp); f.PrintDefaults() }
	if len(args) == 0 {
		f.Usage()
		return errUsage
	}
	if err := f.Parse(args[1:]); err != nil {
		return err
	}
	switch {
	case args[0] == "steps" && f.NArg() == 0:
		_, err := fmt.Fprintln(stdout, strings.Join(sample.Steps(), "\n"))
		return err
	case args[0] == "verify" && f.NArg() > 0:
		return verifyGeneration(f.Args(), *asJSON, stdout)
	}
	f.Usage()
	return errUsage
}

// verifyGeneration checks files and prints a report of each.
func verifyGeneration(files []string, asJSON bool, stdout io.Writer) error {
	var reports []decoding.Report
	failed := 0
	for _, path := range files {
		r, err := decoding.Verify(path)
		if err != nil {
			return err
		}
		failed += len(r.Failed)
		reports = append(reports, r)
		if !asJSON {
			if _, err := fmt.Fprintln(stdout, r); err != nil {
				return err
			}
		}
	}
	if asJSON {
		enc := json.NewEncoder(stdout)
		enc.SetIndent("", "  ")
		if err := enc.Encode(reports); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d records differ", failed)
	}
	return nil
}
