package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/tfgen/tfgen/gen/spec"
	"github.com/tfgen/tfgen/runtime/flags"
)

// newFlags returns the flags of a command. Its usage is help, a text that begins with "usage: …", and a table of the
// flags.
func newFlags(name, help string, stderr io.Writer) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprintln(f.Output(), strings.TrimRight(help, "\n"))
		flags.Print(f.Output(), f)
	}
	return f
}

// parseFlags parses flags that may stand before, between and after the arguments. What is wrong with them has been
// printed when it returns errUsage, and the help when it returns flag.ErrHelp.
func parseFlags(f *flag.FlagSet, args []string) (positional []string, err error) {
	positional, err = flags.Parse(f, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		f.Usage()
	case err != nil:
		fmt.Fprintf(f.Output(), "tfgen %s: %v; `tfgen %s -h` lists the flags\n", f.Name(), err, f.Name())
		err = errUsage
	}
	return positional, err
}

// group is a command with commands of its own.
type group struct {
	name, help string
	commands   map[string]action
}

// action runs a command.
type action func(ctx context.Context, args []string, stdout, stderr io.Writer) error

// run runs the command that the first argument names.
func (g group) run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		fmt.Fprint(stderr, g.help)
		return errUsage
	}
	if flags.IsHelp(args[0]) {
		fmt.Fprint(stderr, g.help)
		return flag.ErrHelp
	}
	if run := g.commands[args[0]]; run != nil {
		return run(ctx, args[1:], stdout, stderr)
	}
	names := slices.Sorted(maps.Keys(g.commands))
	fmt.Fprintf(stderr, "tfgen %s: no command is called %q%s; there are %s\n", g.name, args[0], spec.Suggest(args[0], names), strings.Join(names, ", "))
	return errUsage
}
