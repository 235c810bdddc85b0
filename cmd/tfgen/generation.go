package main

import (
	"context"
	"encoding/json"
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

// generationCommands are the commands of the generation command.
var generationCommands = group{"generation", generationHelp, map[string]action{"verify": generationVerify, "steps": generationSteps}}

// generationSteps prints the processors in their order.
func generationSteps(_ context.Context, args []string, stdout, stderr io.Writer) error {
	f := newFlags("generation steps", generationHelp, stderr)
	rest, err := parseFlags(f, args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		f.Usage()
		return errUsage
	}
	_, err = fmt.Fprintln(stdout, strings.Join(sample.Steps(), "\n"))
	return err
}

// generationVerify compares recorded results with what is computed.
func generationVerify(_ context.Context, args []string, stdout, stderr io.Writer) error {
	f := newFlags("generation verify", generationHelp, stderr)
	asJSON := f.Bool("json", false, "print reports as JSON")
	files, err := parseFlags(f, args)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		f.Usage()
		return errUsage
	}
	return verifyGeneration(files, *asJSON, stdout)
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
