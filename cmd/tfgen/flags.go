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
)

// helpWidth is the width to which the texts of flags are wrapped.
const helpWidth = 110

// newFlags returns the flags of a command. Its usage is help, a text that begins with "usage: …", and a table of the
// flags.
func newFlags(name, help string, stderr io.Writer) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprintln(f.Output(), strings.TrimRight(help, "\n"))
		printFlags(f)
	}
	return f
}

// printFlags prints the flags, their arguments, what they do, and their defaults.
func printFlags(f *flag.FlagSet) {
	separate := "\nFlags:\n"
	f.VisitAll(func(g *flag.Flag) {
		argument, text := flag.UnquoteUsage(g)
		if argument != "" {
			argument = " " + argument
		}
		if g.DefValue != "" && g.DefValue != "0" && g.DefValue != "false" {
			text += fmt.Sprintf(" (default %s)", g.DefValue)
		}
		fmt.Fprintf(f.Output(), "%s  %s%s\n%s", separate, dashed(g.Name), argument, wrapped(text, "        "))
		separate = ""
	})
}

// dashed is a flag as it is written: one dash before a letter, two before a word.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// wrapped breaks a text into indented lines.
func wrapped(text, indent string) string {
	var b strings.Builder
	line := indent
	for _, word := range strings.Fields(text) {
		if len(line)+len(word) > helpWidth {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = indent
		}
		line += word + " "
	}
	return b.String() + strings.TrimRight(line, " ") + "\n"
}

// parseFlags parses flags that may stand before, between and after the arguments. What is wrong with them has been
// printed when it returns errUsage, and the help when it returns flag.ErrHelp.
func parseFlags(f *flag.FlagSet, args []string) (positional []string, err error) {
	out, usage := f.Output(), f.Usage
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	defer func() { // the package flag would print all flags for any error
		f.SetOutput(out)
		f.Usage = usage
		switch {
		case errors.Is(err, flag.ErrHelp):
			usage()
		case err != nil:
			fmt.Fprintf(out, "tfgen %s: %s; `tfgen %s -h` lists the flags\n", f.Name(), flagError(f, err), f.Name())
			err = errUsage
		}
	}()
	for {
		if err := f.Parse(args); err != nil {
			return nil, err
		}
		if f.NArg() == 0 {
			return positional, nil
		}
		positional = append(positional, f.Arg(0))
		args = f.Args()[1:]
	}
}

// flagError says what is wrong with a flag. For one that does not exist it names a similar one.
func flagError(f *flag.FlagSet, err error) string {
	name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !ok {
		return err.Error()
	}
	var names []string
	f.VisitAll(func(g *flag.Flag) { names = append(names, g.Name) })
	text := fmt.Sprintf("there is no flag %s", dashed(name))
	if near, ok := spec.Nearest(name, names); ok {
		text += fmt.Sprintf(", did you mean %s?", dashed(near))
	}
	return text
}

// isHelp reports whether an argument asks for help.
func isHelp(arg string) bool { return slices.Contains([]string{"-h", "-help", "--help"}, arg) }

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
	if isHelp(args[0]) {
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
