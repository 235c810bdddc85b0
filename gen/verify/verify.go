// Package verify compiles golden cases and compares every backend of this machine with the recorded values: the float64
// reference, and the generated Go code at each CPU level.
package verify

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/tfgen/tfgen/asm/tuning"
	"github.com/tfgen/tfgen/gen/build"
	"github.com/tfgen/tfgen/gen/bundle"
	"github.com/tfgen/tfgen/gen/checkpoint/synth"
	"github.com/tfgen/tfgen/gen/golden"
	"github.com/tfgen/tfgen/gen/ref"
	"github.com/tfgen/tfgen/gen/spec"
	"github.com/tfgen/tfgen/runtime/cpu"
)

// Options say what is verified and with what.
type Options struct {
	Cases  []string   // directories
	Spec   *spec.Spec // nil: found from each case's configuration
	Levels []string   // CPU levels; nil: all of this machine
	Module string     // directory of the module github.com/tfgen/tfgen, of which only runtime/ is used
	Work   string     // an empty directory for generated packages; with Compiled, one that an earlier run has filled
	// CompileOnly stops before the generated code runs. Compiled runs what such a run has left in Work and nothing else, which
	// takes no Go toolchain: an emulated machine can do it. The cases have to be the same, in the same order.
	CompileOnly, Compiled bool
	Weights               string        // weight format; "": f32
	KV                    string        // format of keys and values; "": f32
	Tuning                *tuning.Table // blockings of products; nil: rules
	// Progress is told what is being done; nil: nobody is.
	Progress func(format string, args ...any)
}

// greedyTokens is how far greedy continuations of golden cases go.
const greedyTokens = 24

// job is one case on its way.
type job struct {
	name string // of the case
	pkg  string
	arch string // of the specification
	c    *golden.Case
	err  error
}

// Run verifies the cases and returns a report for each case and backend.
func Run(ctx context.Context, o Options) ([]golden.Report, error) {
	if o.Progress == nil {
		o.Progress = func(string, ...any) {}
	}
	if o.Levels == nil {
		for _, l := range cpu.Available() {
			o.Levels = append(o.Levels, l.String())
		}
	}
	var jobs []*job
	var reports []golden.Report
	for i, dir := range o.Cases {
		j := &job{name: filepath.Base(dir), pkg: packageName(i, filepath.Base(dir))}
		jobs = append(jobs, j)
		if o.Compiled {
			j.c, j.err = golden.Open(dir)
			continue
		}
		o.Progress("reference %s", j.name)
		reports = append(reports, j.report(j.reference(dir, &o)))
		if j.err == nil {
			j.err = j.emit(ctx, dir, &o)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	compiled := &harness{jobs, &o}
	if !o.Compiled {
		if err := compiled.compile(ctx); err != nil {
			return nil, err
		}
	}
	if o.CompileOnly {
		return reports, nil
	}
	for _, level := range o.Levels {
		more, err := compiled.level(ctx, level)
		if err != nil {
			return nil, err
		}
		reports = append(reports, more...)
	}
	return reports, nil
}

// packageName makes a Go package name of a case's name.
func packageName(i int, name string) string {
	clean := strings.Map(func(r rune) rune {
		if r < 128 && (unicode.IsLower(r) || unicode.IsDigit(r)) {
			return r
		}
		return -1
	}, strings.ToLower(name))
	return fmt.Sprintf("case%03d%s", i, clean)
}

// reference opens a case and compares the float64 evaluation of its graph.
func (j *job) reference(dir string, o *Options) golden.Report {
	if j.c, j.err = golden.Open(dir); j.err != nil {
		return golden.Failed(j.name, "reference", j.err)
	}
	c, err := synth.Open(dir)
	if err != nil {
		j.err = err
		return golden.Failed(j.name, "reference", err)
	}
	defer c.Close()
	src := bundle.FromCheckpoint(c)
	var m *build.Result
	if o.Spec != nil {
		m, err = build.ModelWith(o.Spec, src)
	} else {
		m, err = build.Model(src)
	}
	if err != nil {
		j.err = err
		return golden.Failed(j.name, "reference", err)
	}
	j.arch = m.Spec.Arch
	return golden.Summarise(j.c, "reference", golden.Compare(j.c, golden.Reference{Model: ref.New(m.Graph, src)}))
}

// report completes a report with what the job knows.
func (j *job) report(r golden.Report) golden.Report {
	r.Architecture = j.arch
	return r
}

// emit generates the case's package, with its probe, into the work directory.
func (j *job) emit(ctx context.Context, dir string, o *Options) error {
	c, err := synth.Open(dir)
	if err != nil {
		return err
	}
	defer c.Close()
	need := 1
	for i := range j.c.Inputs {
		need = max(need, len(j.c.Inputs[i].IDs[0])+greedyTokens)
		if d := j.c.Inputs[i].Decoder; d != nil {
			need = max(need, len(d[0]))
		}
	}
	options := bundle.Options{Package: j.pkg, Title: j.name, Weights: o.Weights, KV: o.KV, Trace: true, Context: need, Tuning: o.Tuning}
	b, err := bundle.New(bundle.FromCheckpoint(c), o.Spec, options)
	if err != nil { // learned positions end where they end
		options.Context = 0
		if b, err = bundle.New(bundle.FromCheckpoint(c), o.Spec, options); err != nil {
			return err
		}
	}
	out := filepath.Join(o.Work, j.pkg)
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(out, j.pkg+".weights"))
	if err != nil {
		return err
	}
	if err := b.WriteWeights(ctx, f, nil); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	files, err := b.Files()
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := os.WriteFile(filepath.Join(out, file.Name), file.Data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
