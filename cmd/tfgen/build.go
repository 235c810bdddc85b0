package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/tfgen/tfgen/gen/bundle"
	"github.com/tfgen/tfgen/gen/checkpoint"
	"github.com/tfgen/tfgen/gen/checkpoint/synth"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/spec"
	"github.com/tfgen/tfgen/gen/template"
	"github.com/tfgen/tfgen/gen/tokenizer"
)

const buildHelp = `usage: tfgen build MODEL [SPEC] [flags]

Compiles a checkpoint into a bundle for each target. The Go package has one function a layer, literal shapes, assembly for
exactly these shapes, packed weights and the tokenizer; the others offer the same model to other languages. MODEL is a
Hugging Face directory or a GGUF file. SPEC is the name of a specification or a YAML file; without it the checkpoint's own
metadata decide.

Examples:

  tfgen build model.gguf --weights source --program     a program, with the file's own quantised blocks
  tfgen build DIR -o internal/model --package model     a package inside your module
  tfgen build DIR --weights q4,lm_head=q8 --kv f16      4 bits, the output projection 8, keys and values in 16
  tfgen build DIR --target go,c,python,wasm -o dist     bundles for four languages
`

// buildOptions are the flags of the build command.
type buildOptions struct {
	bundle.Options
	model, spec   string
	dir, module   string
	targets       string
	dump          string
	chat          string
	tuning        string
	vendor, check bool
	weighing      weighing
	quiet         bool
}

// parse parses the flags of a command on one model, and the model and the specification that stand beside them.
func (o *buildOptions) parse(f *flag.FlagSet, args []string) error {
	rest, err := parseFlags(f, args)
	if err != nil {
		return err
	}
	if len(rest) < 1 || len(rest) > 2 {
		f.Usage()
		return errUsage
	}
	o.model = rest[0]
	if len(rest) == 2 {
		o.spec = rest[1]
	}
	return nil
}

func parseBuild(args []string, stderr io.Writer) (*buildOptions, error) {
	o := &buildOptions{}
	f := newFlags("build", buildHelp, stderr)
	f.StringVar(&o.targets, "target", targets[0].name, "what to build, separated by commas: "+targetNames())
	f.StringVar(&o.dir, "o", "", "output directory; with several targets, one directory in it for each (default: the package name)")
	f.StringVar(&o.Package, "package", "", "Go package name (default: made from the model's name)")
	f.StringVar(&o.Title, "title", "", "the model's name for readers (default: that of the directory or file)")
	f.StringVar(&o.Weights, "weights", "f32", weightsHelp)
	f.StringVar(&o.KV, "kv", "f32", kvHelp)
	o.weighing.flags(f)
	f.StringVar(&o.Early, "early", "", "`layers` whose states the output layer reads too, for DoLa decoding: low, high, or numbers of blocks as in 0,2")
	f.IntVar(&o.Context, "context", 0, "longest sequence in tokens (default: what the model was made for)")
	f.StringVar(&o.tuning, "tuning", "", tuningHelp)
	f.BoolVar(&o.Program, "program", false, "add a main package: a command-line program")
	f.BoolVar(&o.vendor, "vendor", false, "copy the part of the runtime that is used, so that the bundle needs no other module")
	f.BoolVar(&o.Embed, "embed", false, "compile the weights into the program")
	f.BoolVar(&o.check, "check", false, "write nothing; fail if the output directory is not what a build would write")
	f.StringVar(&o.module, "module", "", "module path, if the output directory is to be a module of its own")
	f.StringVar(&o.chat, "chat-template", "", "a `file` with the chat template, instead of the checkpoint's own")
	f.StringVar(&o.dump, "dump", "", "print the graph after a pass: after:PASS")
	f.BoolVar(&o.quiet, "no-progress", false, "show no progress")
	if err := o.parse(f, args); err != nil {
		return nil, err
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
	if err := o.weigh(ctx, &o.weighing, stderr); err != nil {
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
	outputs, err := newOutputs(o)
	if err != nil {
		return err
	}
	models := map[*backend]*compiled{}
	for _, out := range outputs {
		if models[out.backend] != nil {
			continue
		}
		b, closeModel, err := prepare(o, out.backend)
		if err != nil {
			return err
		}
		defer closeModel()
		models[out.backend] = &compiled{Bundle: b}
	}
	if o.dump != "" {
		return nil
	}
	if err := noteTokenizer(models[outputs[0].backend].Bundle, stderr); err != nil {
		return err
	}
	noteExpansion(models[outputs[0].backend].Bundle, "--weights source", stderr)
	progress := newProgress(stderr, o.quiet)
	for _, out := range outputs {
		if err := out.make(ctx, models[out.backend], progress, stdout); err != nil {
			return err
		}
	}
	return nil
}

// expandedFrom is the size in bytes from which on weights that grow are worth a note.
const expandedFrom = 64 << 20

// noteExpansion says how the formats of the checkpoint are kept, if they take much less than what is built.
func noteExpansion(b *bundle.Bundle, how string, stderr io.Writer) {
	stored, seen := int64(0), map[string]bool{}
	for _, t := range b.Report().Tensors {
		for _, s := range t.Sources {
			if !seen[s.Name] {
				seen[s.Name] = true
				stored += s.Bytes
			}
		}
	}
	fmt.Fprint(stderr, expansion(stored, b.Memory().Weights, b.Options.Weights, how))
}

// expansion is the note on weights that grow from stored to built bytes, "" if it is not worth one.
func expansion(stored, built int64, format, how string) string {
	if built < expandedFrom || built < stored*3/2 {
		return ""
	}
	return fmt.Sprintf("note: weights of %d MB become %d MB in %s; %s keeps the formats of the checkpoint\n", stored>>20, built>>20, format, how)
}

// noteTokenizer says which regular expressions of the tokenizer have no scanner.
func noteTokenizer(b *bundle.Bundle, stderr io.Writer) error {
	if b.Tokenizer == nil {
		return nil
	}
	notes, err := tokenizer.Notes(b.Tokenizer)
	for _, n := range notes {
		fmt.Fprintln(stderr, "note:", n)
	}
	return err
}

// newOutputs returns the directories that a build makes: the output directory itself for one target, else a directory in
// it for each.
func newOutputs(o *buildOptions) ([]*output, error) {
	rows, err := findTargets(o.targets)
	if err != nil {
		return nil, err
	}
	var outputs []*output
	for _, t := range rows {
		dir := o.dir
		if len(rows) > 1 {
			dir = filepath.Join(dir, t.name)
		}
		out, err := newOutput(t, o, dir)
		if err != nil {
			return nil, err
		}
		outputs = append(outputs, out)
	}
	return outputs, nil
}

// make writes or checks one bundle and reports it.
func (o *output) make(ctx context.Context, c *compiled, p *progress, stdout io.Writer) error {
	if o.options.check {
		if !c.written {
			if err := digestWeights(ctx, c.Bundle); err != nil {
				return err
			}
			c.written = true
		}
		return o.check(c.Bundle)
	}
	if err := o.write(ctx, c.Bundle, func(path string) error { return c.putWeights(ctx, path, p) }); err != nil {
		return err
	}
	c.weights = filepath.Join(o.dir, o.weightsName())
	memory := c.Memory()
	fmt.Fprintf(stdout, "%s: %s %s, %d files, %d parameters\n", o.label(), o.noun, o.options.Package, o.written, c.Parameters())
	fmt.Fprintf(stdout, "weights %d B, activations %d B, a worker %d B", memory.Weights, memory.Activations, memory.Worker)
	if memory.Session > 0 {
		fmt.Fprintf(stdout, ", a session of %d tokens %d B", memory.Context, memory.Session)
	}
	fmt.Fprintln(stdout)
	return nil
}

// label is the directory as the user named it.
func (o *output) label() string {
	if filepath.Base(o.dir) != filepath.Base(o.options.dir) {
		return filepath.Join(o.options.dir, o.name)
	}
	return o.options.dir
}

// compiled is a model compiled for one backend.
type compiled struct {
	*bundle.Bundle
	written bool   // the digests of the weights are known
	weights string // a weights file that has been written; "" before
}

// putWeights makes the weights file at path: it packs the first, and links or copies it for the targets that follow.
func (c *compiled) putWeights(ctx context.Context, path string, p *progress) (err error) {
	if c.weights != "" {
		return linkOrCopy(c.weights, path)
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	err = c.WriteWeights(ctx, f, p.show)
	p.done()
	c.written = err == nil
	return errors.Join(err, f.Close())
}

// linkOrCopy makes a file appear at another path.
func linkOrCopy(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// prepare opens the model and compiles it up to the plan for a backend.
func prepare(o *buildOptions, back *backend) (*bundle.Bundle, func() error, error) {
	c, err := openCheckpoint(o.model)
	if err != nil {
		return nil, nil, err
	}
	b, err := compile(o, back, bundle.FromCheckpoint(c))
	if err != nil {
		c.Close()
		return nil, nil, err
	}
	return b, c.Close, nil
}

// openCheckpoint opens a checkpoint, or a golden case, which has a description of its weights in their place.
func openCheckpoint(path string) (*checkpoint.Checkpoint, error) {
	_, noCase := os.Stat(filepath.Join(path, "golden.json"))
	_, noWeights := os.Stat(filepath.Join(path, "model.safetensors"))
	if noCase == nil && noWeights != nil {
		return synth.Open(path)
	}
	return checkpoint.Open(path)
}

// compile compiles a checkpoint up to the plan and checks that the backend has all operations.
func compile(o *buildOptions, back *backend, src *bundle.Checkpoint) (b *bundle.Bundle, err error) {
	var s *spec.Spec
	if o.spec != "" {
		if s, err = spec.Load(o.spec); err != nil {
			return nil, err
		}
	}
	options := o.Options
	if options.Tuning, err = loadTuning(o.tuning); err != nil {
		return nil, err
	}
	if back.adapt != nil {
		back.adapt(&options)
	}
	if b, err = bundle.New(src, s, options); err != nil {
		return nil, err
	}
	if err := back.check(b.Plan.Graph); err != nil {
		return nil, err
	}
	packed, err := src.Tokenizer()
	if err == nil {
		err = b.SetTokenizer(packed)
	}
	if err != nil {
		return nil, err
	}
	if b.Chat, err = template.Find(src); err == nil && o.chat != "" {
		err = b.Chat.Replace(o.chat)
	}
	return b, err
}
