// Package flags makes command lines of package flag friendlier: flags may stand between arguments, help has two dashes,
// sections and lines that fit, and an unknown flag is answered with the one that was probably meant.
package flags

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tfgen/tfgen/runtime/near"
)

// Width is the number of characters in a line of help.
const Width = 110

// IsHelp reports whether an argument asks for help.
func IsHelp(arg string) bool { return slices.Contains([]string{"-h", "-help", "--help"}, arg) }

// Parse parses flags that may stand before, between and after the arguments, and returns these. It prints nothing: the
// error is flag.ErrHelp, or says what is wrong.
func Parse(f *flag.FlagSet, args []string) (positional []string, err error) {
	out, usage := f.Output(), f.Usage
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	defer func() { f.SetOutput(out); f.Usage = usage }()
	for {
		if err := f.Parse(args); err != nil {
			return nil, explain(f, err)
		}
		rest := f.Args()
		if at := len(args) - len(rest); at > 0 && args[at-1] == "--" { // all that follows is no flag
			return append(positional, rest...), nil
		}
		if len(rest) == 0 {
			return positional, nil
		}
		positional, args = append(positional, rest[0]), rest[1:]
	}
}

// explain says what is wrong with a flag. For one that does not exist it names a similar one.
func explain(f *flag.FlagSet, err error) error {
	name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !ok {
		return err
	}
	var names []string
	f.VisitAll(func(g *flag.Flag) { names = append(names, g.Name) })
	text := "there is no flag " + Dashed(name)
	if found, ok := near.Name(name, names); ok {
		text += ", did you mean " + Dashed(found) + "?"
	}
	return errors.New(text)
}

// Dashed is a flag as it is written: one dash before a letter, two before a word.
func Dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// Section is a title for some flags.
type Section struct {
	Title string
	Names []string
}

// In adds the flags that add defines to a section of its own.
func In(f *flag.FlagSet, sections *[]Section, title string, add func()) {
	before := names(f)
	add()
	added := slices.DeleteFunc(names(f), func(name string) bool { return slices.Contains(before, name) })
	*sections = append(*sections, Section{title, added})
}

func names(f *flag.FlagSet) (list []string) {
	f.VisitAll(func(g *flag.Flag) { list = append(list, g.Name) })
	return list
}

// Print prints the flags, their arguments, what they do, and their defaults: first those of no section, then the
// sections in their order.
func Print(w io.Writer, f *flag.FlagSet, sections ...Section) {
	rest := slices.DeleteFunc(names(f), func(name string) bool {
		return slices.ContainsFunc(sections, func(s Section) bool { return slices.Contains(s.Names, name) })
	})
	for _, s := range append([]Section{{"Flags", rest}}, sections...) {
		if len(s.Names) > 0 {
			fmt.Fprintf(w, "\n%s:\n", s.Title)
		}
		for _, name := range s.Names {
			printFlag(w, f.Lookup(name))
		}
	}
}

func printFlag(w io.Writer, g *flag.Flag) {
	argument, text := flag.UnquoteUsage(g)
	if argument != "" {
		argument = " " + argument
	}
	if g.DefValue != "" && g.DefValue != "0" && g.DefValue != "0s" && g.DefValue != "false" && !strings.Contains(text, "(default") {
		text += fmt.Sprintf(" (default %s)", g.DefValue)
	}
	fmt.Fprintf(w, "  %s%s\n%s", Dashed(g.Name), argument, wrap(text, "        "))
}

// wrap breaks a text into indented lines.
func wrap(text, indent string) string {
	var b strings.Builder
	line := indent
	for _, word := range strings.Fields(text) {
		if len(line)+len(word) > Width {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = indent
		}
		line += word + " "
	}
	return b.String() + strings.TrimRight(line, " ") + "\n"
}
