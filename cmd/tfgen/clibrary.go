package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"

	"github.com/tfgen/tfgen/gen/bundle"
	"github.com/tfgen/tfgen/gen/emit/cemit"
	"github.com/tfgen/tfgen/gen/emit/goemit"
	"github.com/tfgen/tfgen/gen/file"
	"github.com/tfgen/tfgen/gen/ir"
)

// libraryVersion is the version of generated libraries: that of the interface in targets/capi/tfgen.h, with a third number.
const libraryVersion = "1.0.0"

// cWeights is where the weights of a C library lie.
func cWeights(pkg string) string { return "share/" + pkg + "/" + pkg + ".weights" }

// cFiles are the files of a C library before it is compiled.
func cFiles(o *output, b *bundle.Bundle) ([]file.File, error) {
	m := cModel(o, b)
	sources, err := cSources(o, b, m)
	if err != nil {
		return nil, err
	}
	files, err := cemit.Files(m)
	return append(files, subdirectory("src", sources)...), err
}

// cSources are the Go sources of a C library: the vendored package of the model and the main package around it.
func cSources(o *output, b *bundle.Bundle, m *cemit.Model) ([]file.File, error) {
	own := *b
	own.Options.Program, own.Options.ImportPath = false, o.importPath
	files, err := own.Files()
	if err != nil {
		return nil, err
	}
	main, err := cemit.Main(m)
	if err != nil {
		return nil, err
	}
	if files, err = vendor(append(files, main), o.importPath, libraryDir); err != nil {
		return nil, err
	}
	return append(files, file.File{Name: "go.mod", Data: goMod(o.importPath, true)}), nil
}

// cModel describes a model for the emitter of C libraries.
func cModel(o *output, b *bundle.Bundle) *cemit.Model {
	r, g, memory := b.Result, b.Plan.Graph, b.Memory()
	m := &cemit.Model{
		Package: b.Options.Package, Title: b.Options.Title, Architecture: g.Name, Format: b.Options.Weights, Version: libraryVersion, Runtime: libraryDir,
		Header: marker + fmt.Sprintf("%s (sha256:%.12s). DO NOT EDIT.", r.Spec.File, r.Spec.SHA256), ImportPath: o.importPath,
		Parameters: b.Parameters(), WeightsBytes: memory.Weights, ActivationBytes: memory.Activations, WorkerBytes: memory.Worker,
		SessionBytes: memory.Session, Vocabulary: g.Vocab, MaxContext: g.MaxPos,
		Causal: len(g.States) > 0, Tokens: b.Tokenizer != nil, TokenTypes: g.Input("token_types") != nil, Trace: b.Options.Trace,
		Embedded: b.Options.Embed, Labels: r.Labels, MaxTokens: g.MaxPos,
	}
	m.Several, m.Regression = b.Several(), b.Regression()
	m.Encodes = m.Causal && g.Towers()
	if !m.Causal && m.Tokens {
		m.Head = heads[r.Task]
	}
	m.Chat = m.Causal && !m.Encodes && m.Tokens && b.Chat != nil && len(b.Chat.Templates) > 0
	if r.Context > 0 {
		m.MaxTokens = min(r.Context, g.MaxPos)
	}
	for _, region := range g.Regions {
		if region.Kind == ir.Layer && region.Tower == "" {
			m.Layers++
			m.Width = region.Result.Type.Width()
		}
	}
	if !m.Causal {
		for _, out := range g.Outputs {
			t := out.Value.Type
			m.Outputs = append(m.Outputs, cemit.Output{Name: out.Name, Field: goemit.OutputField(out.Name), Width: t.Width(), ByToken: t.Rows == ir.Tokens})
		}
	}
	m.Ranks = m.Tokens && r.Task == "text-classification" && m.Classes() == 1
	return m
}

// heads are the methods of generated packages that find something in a text, by the task of the model.
var heads = map[string]string{"token-classification": "Tag", "question-answering": "Answer", "masked-lm": "FillMask"}

// subdirectory puts files into a directory of the bundle.
func subdirectory(dir string, files []file.File) []file.File {
	out := slices.Clone(files)
	for i := range out {
		out[i].Name = path.Join(dir, out[i].Name)
	}
	return out
}

// cCompile compiles the libraries in dir.
func cCompile(ctx context.Context, o *output, dir string) error {
	if err := needTools("c", "make", compiler()); err != nil {
		return err
	}
	if err := embedWeights(o, dir); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "lib"), 0o755); err != nil {
		return err
	}
	return runTool(ctx, filepath.Join(dir, "src"), "make", "--no-print-directory")
}

// embedWeights puts the weights beside the sources that are to embed them.
func embedWeights(o *output, dir string) error {
	if !o.options.Embed {
		return nil
	}
	return linkOrCopy(filepath.Join(dir, o.weightsName()), filepath.Join(dir, "src", beside(o.options.Package)))
}

// compiler is the C compiler that cgo uses.
func compiler() string {
	if cc := os.Getenv("CC"); cc != "" {
		return cc
	}
	return "gcc"
}

// needTools reports tools that a target needs and that are not installed.
func needTools(target string, tools ...string) error {
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("the target %s needs %s, which is not installed", target, tool)
		}
	}
	return nil
}

// runTool runs a tool quietly in a directory; its output is part of the error.
func runTool(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s in %s: %w\n%s", name, dir, err, log.Bytes())
	}
	return nil
}
