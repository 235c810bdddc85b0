package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	models "github.com/tfgen/tfgen/gen/build"
	"github.com/tfgen/tfgen/gen/golden"
	"github.com/tfgen/tfgen/gen/spec"
)

// specTable prints the table of what is supported, as Markdown, with the results of verifications (tfgen verify --json).
func specTable(_ context.Context, args []string, stdout, stderr io.Writer) error {
	files, err := specArguments("table", args, 0, math.MaxInt, stderr)
	if err != nil {
		return err
	}
	var reports []golden.Report
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		var more []golden.Report
		if err := json.Unmarshal(data, &more); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		reports = append(reports, more...)
	}
	all, err := spec.List()
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, tableHead)
	for _, s := range all {
		row, err := tableRow(s)
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "%s %s |\n", row, verified(reports, s.Arch))
	}
	_, err = fmt.Fprintln(stdout, "\n"+totals(reports))
	return err
}

const tableHead = `| specification | model types | heads | GGUF | state of a session | golden cases that pass |
| --- | --- | --- | --- | --- | --- |`

// tableRow is what the specification itself says of an architecture, up to the column of results.
func tableRow(s *spec.Spec) (string, error) {
	var tasks, states []string
	for _, h := range s.Heads {
		if !slices.Contains(tasks, h.Task) {
			tasks = append(tasks, h.Task)
		}
		m, err := models.Tiny(s, h.Class)
		if err != nil {
			return "", fmt.Errorf("%s: %w", h.Class, err)
		}
		for _, st := range m.Graph.States {
			if !slices.Contains(states, st.Kind) {
				states = append(states, st.Kind)
			}
		}
	}
	gguf := "–"
	if s.GGUF != nil {
		gguf = strings.Join(s.GGUF.Architectures, ", ")
	}
	if len(states) == 0 {
		states = []string{"–"}
	}
	return fmt.Sprintf("| [%s](../%s) | %s | %s | %s | %s |", s.Arch, s.File, strings.Join(s.ModelTypes, ", "), strings.Join(tasks, ", "), gguf, strings.Join(states, ", ")), nil
}

// tally counts the cases of an architecture.
type tally struct {
	cases, passed int
	backends      []string
	references    []string
}

// tallyOf counts what reports say of an architecture. A case passes if all its backends do.
func tallyOf(reports []golden.Report, arch string) tally {
	var t tally
	failed := map[string]bool{}
	var names []string
	for _, r := range reports {
		if r.Architecture != arch {
			continue
		}
		if !slices.Contains(names, r.Case) {
			names = append(names, r.Case)
		}
		failed[r.Case] = failed[r.Case] || !r.OK
		if !slices.Contains(t.backends, r.Backend) {
			t.backends = append(t.backends, r.Backend)
		}
		if r.Reference != "" && !slices.Contains(t.references, r.Reference) {
			t.references = append(t.references, r.Reference)
		}
	}
	t.cases = len(names)
	for _, n := range names {
		if !failed[n] {
			t.passed++
		}
	}
	return t
}

// verified is the column of results.
func verified(reports []golden.Report, arch string) string {
	t := tallyOf(reports, arch)
	if t.cases == 0 {
		return "none"
	}
	return fmt.Sprintf("%d of %d (%s), against %s", t.passed, t.cases, strings.Join(t.backends, ", "), strings.Join(t.references, ", "))
}

// totals is the last line.
func totals(reports []golden.Report) string {
	cases, passed := 0, 0
	var archs []string
	for _, r := range reports {
		if !slices.Contains(archs, r.Architecture) {
			archs = append(archs, r.Architecture)
			t := tallyOf(reports, r.Architecture)
			cases, passed = cases+t.cases, passed+t.passed
		}
	}
	return fmt.Sprintf("%d of %d cases pass on every backend that ran.", passed, cases)
}
