package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/tfgen/tfgen/gen/bundle"
	"github.com/tfgen/tfgen/gen/checkpoint"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/spec"
	"github.com/tfgen/tfgen/gen/weights"
)

const buildHelp = `usage: tfgen build MODEL [SPEC] [flags]

Compiles a checkpoint into a Go package: one function a layer, literal shapes, assembly for exactly these shapes, packed
weights, tokenizer. MODEL is a Hugging Face directory or a GGUF file. SPEC is the name of a specification or a YAML file;
without it the checkpoint's own metadata decide.

`

// buildOptions are the flags of the build command.
type buildOptions struct {
	bundle.Options
	model, spec   string
	dir, module   string
	dump          string
	vendor, check bool
	quiet         bool
}

// parseFlags parses flags that may stand before, between and after the arguments.
func parseFlags(f *flag.FlagSet, args []string) (positional []string, err error) {
	for {
		if err := f.Parse(args); err != nil {
			if err == flag.ErrHelp {
				return nil, err
			}
			return nil, errUsage
		}
		if f.NArg() == 0 {
			return positional, nil
		}
		positional = append(positional, f.Arg(0))
		args = f.Args()[1:]
	}
}

func parseBuild(args []string, stderr io.Writer) (*buildOptions, error) {
	o := &buildOptions{}
	f := flag.NewFlagSet("build", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.dir, "o", "", "output directory (default: the package name)")
	f.StringVar(&o.Package, "package", "", "Go package name (default: made from the model's name)")
	f.StringVar(&o.Title, "title", "", "the model's name for readers (default: that of the directory or file)")
	f.StringVar(&o.Weights, "weights", "f32", "weight format: "+strings.Join(weights.Formats(), ", "))
	f.IntVar(&o.Context, "context", 0, "longest sequence in tokens (default: what the model was made for)")
	f.BoolVar(&o.Program, "program", false, "add a main package: a command-line program")
	f.BoolVar(&o.vendor, "vendor", false, "copy the part of the runtime that is used, so that the bundle needs no other module")
	f.BoolVar(&o.Embed, "embed", false, "compile the weights into the program")
	f.BoolVar(&o.check, "check", false, "write nothing; fail if the output directory is not what a build would write")
	f.StringVar(&o.module, "module", "", "module path, if the output directory is to be a module of its own")
	f.StringVar(&o.dump, "dump", "", "print the graph after a pass: after:PASS")
	f.BoolVar(&o.quiet, "no-progress", false, "show no progress")
	f.Usage = func() {
		fmt.Fprint(stderr, buildHelp)
		f.PrintDefaults()
	}
	rest, err := parseFlags(f, args)
	if err != nil {
		return nil, err
	}
	if len(rest) < 1 || len(rest) > 2 {
		f.Usage()
		return nil, errUsage
	}
	o.model = rest[0]
	if len(rest) == 2 {
		o.spec = rest[1]
	}
	o.defaults()
	return o, nil
}

// defaults derives names from the model's path.
func (o *buildOptions) defaults() {
	base := strings.TrimSuffix(filepath.Base(filepath.Clean(o.model)), filepath.Ext(o.model))
	if o.Title == "" {
		o.Title = base
	}
	if o.Package == "" {
		o.Package = identifier(base)
	}
	if o.dir == "" {
		o.dir = o.Package
	}
}

// identifier makes a Go package name of a model's name.
func identifier(s string) string {
	name := strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLower(r) || unicode.IsDigit(r)) {
			return r
		}
		return -1
	}, strings.ToLower(s))
	if name == "" || unicode.IsDigit(rune(name[0])) {
		name = "model" + name
	}
	return name
}

// runBuild is the build command.
func runBuild(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parseBuild(args, stderr)
	if err != nil {
		return err
	}
	pass := strings.TrimPrefix(o.dump, "after:")
	if o.dump != "" {
		found := false
		o.Dump = func(name string, g *ir.Graph) {
			if strings.EqualFold(name, pass) {
				fmt.Fprint(stdout, g.Dump())
				found = true
			}
		}
		defer func() {
			if !found {
				fmt.Fprintf(stderr, "tfgen: no pass is called %q\n", pass)
			}
		}()
	}
	target, err := newTarget(o)
	if err != nil {
		return err
	}
	b, closeModel, err := prepare(o, target)
	if err != nil {
		return err
	}
	defer closeModel()
	if o.dump != "" {
		return nil
	}
	if o.check {
		return target.check(ctx, b)
	}
	if err := target.write(ctx, b, newProgress(stderr, o.quiet)); err != nil {
		return err
	}
	memory := b.Memory()
	fmt.Fprintf(stdout, "%s: package %s, %d files, %d parameters\n", o.dir, o.Package, target.written, b.Parameters())
	fmt.Fprintf(stdout, "weights %d B, activations %d B, a worker %d B, a session of %d tokens %d B\n",
		memory.Weights, memory.Activations, memory.Worker, memory.Context, memory.Session)
	return nil
}

// prepare opens the model and compiles it up to the plan.
func prepare(o *buildOptions, t *target) (*bundle.Bundle, func() error, error) {
	c, err := checkpoint.Open(o.model)
	if err != nil {
		return nil, nil, err
	}
	var s *spec.Spec
	if o.spec != "" {
		if s, err = spec.Load(o.spec); err != nil {
			c.Close()
			return nil, nil, err
		}
	}
	o.ImportPath = t.importPath
	src := bundle.FromCheckpoint(c)
	b, err := bundle.New(src, s, o.Options)
	if err == nil {
		b.Tokenizer, err = src.Tokenizer()
	}
	if err != nil {
		c.Close()
		return nil, nil, err
	}
	return b, c.Close, nil
}
