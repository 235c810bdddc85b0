package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/tfgen/tfgen/gen/spec"
)

const specHelp = `usage: tfgen spec list
       tfgen spec check FILE…
       tfgen spec schema [spec|macro|table|keys]
       tfgen spec new NAME --from MODEL [--like SPEC] [-o FILE] [--force] [--json]
       tfgen spec explain SPEC|MODEL [--class CLASS] [--all]
       tfgen spec table [RESULTS.json…]
       tfgen spec reference

list shows the built-in specifications, check reads files as strictly as a build does. schema prints the JSON Schema of
a specification, or of a file of the library, for editors: with a YAML language server, save it and begin a file with
  # yaml-language-server: $schema=spec.schema.json

new drafts a specification for a Hugging Face directory that none is for: it tries all of them, or the one that --like
names, takes the one that explains most tensors, and says which step explains which, and what is left.
explain shows the expanded graph: of a specification at the sizes of its tests, or of a model. Layers that are like the
one before them are not repeated, unless --all is given. table prints what is supported as Markdown, with results of
tfgen verify --json. reference prints the whole language as Markdown.
`

// specCommands are the commands of the spec command.
var specCommands = group{"spec", specHelp, map[string]action{
	"list": specList, "check": specCheck, "schema": specSchema, "new": specNew, "explain": specExplain, "table": specTable,
	"reference": specReference,
}}

// specArguments returns the arguments of a command below "spec" that has no flags.
func specArguments(name string, args []string, least, most int, stderr io.Writer) ([]string, error) {
	f := newFlags("spec "+name, specHelp, stderr)
	rest, err := parseFlags(f, args)
	if err == nil && (len(rest) < least || len(rest) > most) {
		f.Usage()
		err = errUsage
	}
	return rest, err
}

func specList(_ context.Context, args []string, stdout, stderr io.Writer) error {
	if _, err := specArguments("list", args, 0, 0, stderr); err != nil {
		return err
	}
	all, err := spec.List()
	if err != nil {
		return err
	}
	for _, s := range all {
		fmt.Fprintf(stdout, "%-10s %s  model types: %s\n", s.Arch, s.File, strings.Join(s.ModelTypes, ", "))
	}
	return nil
}

func specCheck(_ context.Context, args []string, stdout, stderr io.Writer) error {
	files, err := specArguments("check", args, 1, math.MaxInt, stderr)
	if err != nil {
		return err
	}
	var errs []error
	for _, file := range files {
		err := spec.Check(file)
		if err == nil {
			fmt.Fprintln(stdout, file+": ok")
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func specSchema(_ context.Context, args []string, stdout, stderr io.Writer) error {
	kind, err := specArguments("schema", args, 0, 1, stderr)
	if err != nil {
		return err
	}
	text, err := spec.Schema(append(kind, "spec")[0])
	if err == nil {
		_, err = stdout.Write(text)
	}
	return err
}

// specReference prints the language as Markdown.
func specReference(_ context.Context, args []string, stdout, stderr io.Writer) error {
	if _, err := specArguments("reference", args, 0, 0, stderr); err != nil {
		return err
	}
	text, err := spec.Reference()
	if err == nil {
		_, err = io.WriteString(stdout, text)
	}
	return err
}

// runVersion is the version command.
func runVersion(_ context.Context, args []string, stdout, _ io.Writer) error {
	v := map[string]string{"version": "devel", "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" && info.Main.Version != "(devel)" {
			v["version"] = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				v["revision"] = s.Value
			}
		}
	}
	if len(args) == 1 && args[0] == "--json" {
		return json.NewEncoder(stdout).Encode(v)
	}
	_, err := fmt.Fprintf(stdout, "tfgen %s (%s, %s)\n", v["version"], v["go"], v["platform"])
	return err
}
