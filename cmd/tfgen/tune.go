package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/tfgen/tfgen/asm/amd64"
	"github.com/tfgen/tfgen/asm/tuning"
	"github.com/tfgen/tfgen/gen/tune"
	"github.com/tfgen/tfgen/runtime/cpu"
)

const tuneHelp = `usage: tfgen tune MODEL [SPEC] [flags]
       tfgen tune --shapes FORMAT:COLUMNSxOUTPUTS,… [flags]

Measures on this machine how matrix products of a model, or of some shapes, should be cut: register blocks, depth of passes,
unrolling, distances of prefetches, rows and tiles of a call. Candidates run alternately; one is kept if it is ahead of the
rule by more than the noise, and the whole of what was kept is compared with the rules again. The result is a table of
text, for tfgen build --tuning FILE. A build looks at the table and never at the machine: the same table gives the same
bytes. All candidates compute the same bits, which is tested before they are measured. Needs the Go toolchain, and a quiet
machine. Rows that FILE has for other shapes stay.

Examples:

  tfgen tune DIR --weights q8 -o here.json && tfgen build DIR --weights q8 --tuning here.json
  tfgen tune --shapes f32:384x1536,q4:2048x8192
`

// tuneOptions are the flags of tune.
type tuneOptions struct {
	build       buildOptions
	shapes      string
	level       string
	out         string
	machine     string
	rows        int
	rounds      int
	milli       int
	general     bool
	json, quiet bool
}

// tuneReport is what tune prints as JSON.
type tuneReport struct {
	Machine  string         `json:"machine"`
	Shapes   []tune.Shape   `json:"shapes"`
	Rows     int            `json:"rows_of_x"`
	Rounds   int            `json:"rounds"`
	Findings []tune.Finding `json:"findings"`
	Table    []tuning.Row   `json:"table"`
}

// parseTune parses the flags.
func parseTune(args []string, stderr io.Writer) (*tuneOptions, error) {
	o := &tuneOptions{}
	f := newFlags("tune", tuneHelp, stderr)
	f.StringVar(&o.build.Weights, "weights", "f32", weightsHelp)
	f.StringVar(&o.shapes, "shapes", "", "products to measure instead of a model's, such as f32:384x1536,q4:2048x8192")
	f.StringVar(&o.level, "level", "", "measure one instruction set only (default: all that this machine has)")
	f.StringVar(&o.out, "o", "tuning.json", "`file` that the table is written to")
	f.StringVar(&o.machine, "machine", "", "what the table calls this machine (default: what the system says)")
	f.IntVar(&o.rows, "rows", 128, "rows of products of many rows")
	f.IntVar(&o.rounds, "rounds", 15, "times to measure each candidate")
	f.IntVar(&o.milli, "sample", 20, "milliseconds of a measurement")
	f.BoolVar(&o.general, "general", false, "add rows for other numbers of columns, with what all measured ones agree on")
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.BoolVar(&o.quiet, "no-progress", false, "show no progress")
	rest, err := parseFlags(f, args)
	if err != nil {
		return nil, err
	}
	if (len(rest) == 0) == (o.shapes == "") || len(rest) > 2 {
		f.Usage()
		return nil, errUsage
	}
	if o.rows < 2 || o.rows > 4096 || o.rounds < 1 || o.rounds > 1000 || o.milli < 1 || o.milli > 10000 {
		return nil, errors.New("expected 2 to 4096 rows, 1 to 1000 rounds and 1 to 10000 milliseconds")
	}
	if len(rest) > 0 {
		o.build.model = rest[0]
	}
	if len(rest) == 2 {
		o.build.spec = rest[1]
	}
	o.build.defaults()
	return o, nil
}

// runTune is the tune command.
func runTune(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parseTune(args, stderr)
	if err != nil {
		return err
	}
	table, err := o.table()
	if err != nil {
		return err
	}
	t := tune.Options{Rows: o.rows, Rounds: o.rounds, General: o.general, Sample: time.Duration(o.milli) * time.Millisecond}
	if t.Levels, err = tuneLevels(o.level); err != nil {
		return err
	}
	if t.Shapes, err = o.findShapes(); err != nil {
		return err
	}
	if t.Work, err = os.MkdirTemp("", "tfgen-tune-"); err != nil {
		return err
	}
	defer os.RemoveAll(t.Work)
	p := newProgress(stderr, o.quiet)
	report := tuneReport{Machine: table.Machine, Shapes: t.Shapes, Rows: o.rows, Rounds: o.rounds}
	t.Progress = func(done, total int, what string) { p.showStep("measuring", float64(done)/float64(total), what) }
	t.Found = func(f tune.Finding) {
		report.Findings = append(report.Findings, f)
		if !o.json {
			p.done()
			printFinding(stdout, f)
		}
	}
	rows, err := tune.Tune(ctx, t)
	p.done()
	if err != nil {
		return err
	}
	report.Table = rows
	table.Replace(rows, func(r tuning.Row) bool { return tuned(t, r) })
	if err := os.WriteFile(o.out, table.Format(), 0o644); err != nil {
		return err
	}
	if o.json {
		enc := json.NewEncoder(stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(report)
	}
	_, err = fmt.Fprintf(stdout, "%s: %d rows, %d of them new, for %s\n", o.out, len(table.Rows), len(rows), table.Machine)
	return err
}

// tuned reports whether a row is about what has been measured, so that it is replaced.
func tuned(t tune.Options, r tuning.Row) bool {
	for _, s := range t.Shapes {
		if s.Format != r.Format || s.K != r.K && r.K != 0 {
			continue
		}
		if r.Level == "" && r.N == s.N {
			return true
		}
		for _, isa := range t.Levels {
			if isa.Level() == r.Level {
				return true
			}
		}
	}
	return false
}

// table returns the table that results go into: that of the output file if it is of the same machine, else an empty one.
func (o *tuneOptions) table() (*tuning.Table, error) {
	if o.machine == "" {
		o.machine = machineName()
	}
	empty := &tuning.Table{Version: tuning.Version, Machine: o.machine}
	if _, err := os.Stat(o.out); err != nil {
		return empty, nil
	}
	t, err := loadTuning(o.out)
	if err != nil {
		return nil, fmt.Errorf("%w; -o names a file that is no tuning table", err)
	}
	if t.Machine != o.machine {
		return nil, fmt.Errorf("%s was measured on %q, not on %q; -o names another file", o.out, t.Machine, o.machine)
	}
	return t, nil
}

// tuneLevels returns the instruction sets to measure: those of the processor, or the one of a name.
func tuneLevels(name string) ([]amd64.ISA, error) {
	var have []amd64.ISA
	for _, level := range cpu.Available() {
		for _, isa := range amd64.ISAs {
			if isa.Level() == level.String() && (name == "" || name == isa.Level()) {
				have = append(have, isa)
			}
		}
	}
	if len(have) == 0 {
		return nil, fmt.Errorf("no kernels for level %q on this machine, which has %v", name, cpu.Available())
	}
	return have, nil
}

// findShapes returns the shapes of the flag or of the model.
func (o *tuneOptions) findShapes() ([]tune.Shape, error) {
	if o.shapes != "" {
		return tune.ParseShapes(o.shapes)
	}
	b, closeModel, err := prepare(&o.build, goBackend)
	if err != nil {
		return nil, err
	}
	defer closeModel()
	return tune.ModelShapes(b)
}

// printFinding prints a line about one choice.
func printFinding(w io.Writer, f tune.Finding) {
	shape := fmt.Sprintf("%s k=%d", f.Format, f.K)
	if f.N > 0 {
		shape += fmt.Sprintf(" n=%d", f.N)
	}
	verdict := "rule stays"
	if f.Kept {
		verdict = "kept"
	}
	fmt.Fprintf(w, "%-10s %-22s %-10s %2d tried, best %-28s %s  %s\n", f.Level, shape, f.Choice, f.Tried, f.Best, f.Gain, verdict)
}
