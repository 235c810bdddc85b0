package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/tfgen/tfgen/gen/spec"
)

const specHelp = `usage: tfgen spec list
       tfgen spec check FILE…
       tfgen spec schema [spec|macro|table|keys]

list shows the built-in specifications, check reads files as strictly as a build does. schema prints the JSON Schema of
a specification, or of a file of the library, for editors: with a YAML language server, save it and begin a file with
  # yaml-language-server: $schema=spec.schema.json
`

// runSpec is the spec command.
func runSpec(_ context.Context, args []string, stdout, stderr io.Writer) error {
	switch {
	case len(args) == 1 && args[0] == "list":
		all, err := spec.List()
		if err != nil {
			return err
		}
		for _, s := range all {
			fmt.Fprintf(stdout, "%-10s %s  model types: %s\n", s.Arch, s.File, strings.Join(s.ModelTypes, ", "))
		}
		return nil
	case len(args) >= 2 && args[0] == "check":
		var errs []error
		for _, file := range args[1:] {
			err := spec.Check(file)
			if err == nil {
				fmt.Fprintln(stdout, file+": ok")
			}
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	case (len(args) == 1 || len(args) == 2) && args[0] == "schema":
		text, err := spec.Schema(append(args[1:], "spec")[0])
		if err == nil {
			_, err = stdout.Write(text)
		}
		return err
	}
	fmt.Fprint(stderr, specHelp)
	return errUsage
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
