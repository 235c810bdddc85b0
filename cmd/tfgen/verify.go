package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tfgen/tfgen"
	"github.com/tfgen/tfgen/gen/golden"
	"github.com/tfgen/tfgen/gen/spec"
	"github.com/tfgen/tfgen/gen/verify"
)

// errMismatch is returned when a backend is off: the table says which.
var errMismatch = errors.New("some results are outside their tolerance")

const verifyHelp = `usage: tfgen verify [flags] CASE…

Compiles golden cases and compares the float64 reference and the generated code at every CPU level of this machine with
the recorded values: hidden states of every layer, outputs, decoding step by step, greedy tokens. A case is a directory
with config.json, golden.json and golden.safetensors. The exit status is 0 if everything is within its tolerance, and
levels that must agree in every bit (avx512, avx512vnni, amxint8) do.

Examples:

  tfgen verify gen/golden/testdata/*
  tfgen verify --levels portable,avx2 --weights q8 --json CASE
`

// runVerify is the verify command.
func runVerify(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f := newFlags("verify", verifyHelp, stderr)
	asJSON := f.Bool("json", false, "print reports as JSON")
	levels := f.String("levels", "", "CPU levels to run, separated by commas (default: all of this machine)")
	var formats []string
	f.Func("weights", "weight format of the generated code (repeatable; default f32): others are compared with the reference over the "+
		"rounded weights", func(s string) error { formats = append(formats, s); return nil })
	kv := f.String("kv", "f32", kvHelp)
	specName := f.String("spec", "", "specification to use instead of the one that config.json asks for")
	dir := f.String("work", "", "keep the generated packages in this directory (default: a temporary one)")
	compileOnly := f.Bool("compile-only", false, "stop before the generated code runs; with --work")
	compiled := f.Bool("compiled", false, "run what --compile-only left in --work, for the same cases, and nothing else: takes no Go toolchain")
	quiet := f.Bool("quiet", false, "say nothing about progress")
	cases, err := parseFlags(f, args)
	if err != nil {
		return err
	}
	if len(cases) == 0 {
		f.Usage()
		return errUsage
	}
	if (*compileOnly || *compiled) && *dir == "" || *compileOnly && *compiled {
		return errors.New("--compile-only and --compiled exclude each other and need --work")
	}
	o := verify.Options{Cases: cases, Weights: formats, KV: *kv, CompileOnly: *compileOnly, Compiled: *compiled}
	if *levels != "" {
		o.Levels = strings.Split(*levels, ",")
	}
	if *specName != "" {
		s, err := spec.Load(*specName)
		if err != nil {
			return err
		}
		o.Spec = s
	}
	if !*quiet {
		o.Progress = func(format string, args ...any) { fmt.Fprintf(stderr, format+"\n", args...) }
	}
	work, err := workDirectory(&o, *dir)
	defer os.RemoveAll(work)
	if err != nil {
		return err
	}
	reports, err := verify.Run(ctx, o)
	if err != nil {
		return err
	}
	return printReports(stdout, reports, *asJSON)
}

// workDirectory prepares the directories of a verification: dir for the generated packages if it is given. It returns a
// temporary one, which has to be removed.
func workDirectory(o *verify.Options, dir string) (string, error) {
	work, err := os.MkdirTemp("", "tfgen-verify-")
	if err != nil {
		return "", err
	}
	o.Work = filepath.Join(work, "cases")
	if dir != "" {
		if o.Work, err = filepath.Abs(dir); err != nil {
			return work, err
		}
	}
	if o.Compiled {
		return work, nil
	}
	if err := os.MkdirAll(o.Work, 0o755); err != nil {
		return work, err
	}
	o.Module, err = runtimeModule(filepath.Join(work, "tfgen"))
	return work, err
}

func printReports(w io.Writer, reports []golden.Report, asJSON bool) error {
	ok := true
	if asJSON {
		for _, r := range reports {
			ok = ok && r.OK
		}
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		if err := enc.Encode(reports); err != nil {
			return err
		}
	} else {
		var err error
		if ok, err = golden.Print(w, reports); err != nil {
			return err
		}
	}
	if !ok {
		return errMismatch
	}
	return nil
}

// runtimeModule writes the runtime that tfgen carries to dir, as the module github.com/tfgen/tfgen, and returns dir.
func runtimeModule(dir string) (string, error) {
	err := fs.WalkDir(tfgen.Runtime, "runtime", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "testdata" {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		data, err := tfgen.Runtime.ReadFile(path)
		if err != nil {
			return err
		}
		out := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
			return err
		}
		return os.WriteFile(out, data, 0o644)
	})
	if err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module github.com/tfgen/tfgen\n\ngo 1.26\n"), 0o644)
}
