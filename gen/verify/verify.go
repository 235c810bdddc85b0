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
	Weights               []string      // weight formats, each for all cases; nil: f32
	KV                    string        // format of keys and values; "": f32
	Tuning                *tuning.Table // blockings of products; nil: rules
	// Progress is told what is being done; nil: nobody is.
	Progress func(format string, args ...any)
}

// greedyTokens is how far greedy continuations of golden cases go.
const greedyTokens = 24

// job is one case on its way, in one weight format.
type job struct {
	dir     string
	name    string // of the case, and of the format unless it is f32
	pkg     string
	arch    string // of the specification
	weights string
	kv      string
	c       *golden.Case
	err     error
}

// exact reports whether the weights and caches are those that the recorded values were made with.
func (j *job) exact() bool { return j.weights == "f32" && (j.kv == "" || j.kv == "f32") }

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
	jobs := o.jobs()
	var reports []golden.Report
	for _, j := range jobs {
		if o.Compiled {
			j.open(&o)
			continue
		}
		reports = append(reports, j.prepare(ctx, &o)...)
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
	holdBits(reports)
	return reports, nil
}

// jobs returns all cases in all formats, without what they need to run.
func (o *Options) jobs() []*job {
	if o.Weights == nil {
		o.Weights = []string{"f32"}
	}
	var jobs []*job
	for _, format := range o.Weights {
		for _, dir := range o.Cases {
			j := &job{dir: dir, name: filepath.Base(dir), pkg: packageName(len(jobs), filepath.Base(dir)), weights: format, kv: o.KV}
			if !j.exact() {
				j.name = strings.TrimSpace(j.name + " " + format + " " + o.KV)
			}
			jobs = append(jobs, j)
		}
	}
	return jobs
}

// open reads what the results of a case that is compiled are compared with.
func (j *job) open(o *Options) {
	if j.c, j.err = golden.Open(j.dir); j.err == nil && !j.exact() {
		j.c, j.err = j.c.ReadRecorded(j.recorded(o))
	}
}

// prepare generates the case's package. With exact weights the recorded values are compared with the reference, else they are
// replaced by what the reference makes of the weights that were packed.
func (j *job) prepare(ctx context.Context, o *Options) []golden.Report {
	o.Progress("reference %s", j.name)
	var reports []golden.Report
	if j.exact() {
		reports = append(reports, j.report(j.reference(o)))
	} else {
		j.c, j.err = golden.Open(j.dir)
	}
	if j.err == nil {
		j.err = j.emit(ctx, o)
	}
	return reports
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
func (j *job) reference(o *Options) golden.Report {
	if j.c, j.err = golden.Open(j.dir); j.err != nil {
		return golden.Failed(j.name, "reference", j.err)
	}
	c, err := synth.Open(j.dir)
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
	r.Case, r.Architecture = j.name, j.arch
	return r
}

// emit generates the case's package, with its probe, into the work directory.
func (j *job) emit(ctx context.Context, o *Options) error {
	c, err := synth.Open(j.dir)
	if err != nil {
		return err
	}
	defer c.Close()
	src := bundle.FromCheckpoint(c)
	need := 1
	for i := range j.c.Inputs {
		need = max(need, len(j.c.Inputs[i].IDs[0])+greedyTokens)
		if d := j.c.Inputs[i].Decoder; d != nil {
			need = max(need, len(d[0]))
		}
	}
	options := bundle.Options{Package: j.pkg, Title: j.name, Weights: j.weights, KV: j.kv, Trace: true, Context: need, Tuning: o.Tuning}
	b, err := bundle.New(src, o.Spec, options)
	if err != nil { // learned positions end where they end
		options.Context = 0
		if b, err = bundle.New(src, o.Spec, options); err != nil {
			return err
		}
	}
	if err := write(ctx, b, filepath.Join(o.Work, j.pkg), j.pkg); err != nil || j.exact() {
		return err
	}
	return j.record(b, src, o)
}

// write writes a package and its weights to a directory.
func write(ctx context.Context, b *bundle.Bundle, out, pkg string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(out, pkg+".weights"))
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
