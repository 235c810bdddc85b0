// Command tfgen compiles transformers: from a checkpoint and a specification to a specialised Go package.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/tfgen/tfgen/gen/spec"
	"github.com/tfgen/tfgen/runtime/flags"
)

// command is one row of the table of subcommands.
type command struct {
	name, summary string
	run           action
}

func commands() []command {
	return []command{
		{"build", "compile a checkpoint: a Go package or program, a C library, Python, WebAssembly", runBuild},
		{"run", "build a model into a cache and run it", runRun},
		{"inspect", "say what a model is and what it takes, before a weight is read", runInspect},
		{"bench", "measure the speed of a model, and its share of what the machine can do", runBench},
		{"tune", "measure how products are best cut on this machine, into a table for build", runTune},
		{"quantize", "say what a weight format does to each matrix", runQuantize},
		{"eval", "measure what a weight format costs, over a text", runEval},
		{"verify", "compare generated code with golden cases", runVerify},
		{"generation", "compare sampling and searches with recorded results", generationCommands.run},
		{"template", "render chat templates, or compare them with recorded results", templateCommands.run},
		{"parity", "compare all targets of a model with each other", runParity},
		{"diff", "show what changed between two generated packages", runDiff},
		{"tokenizer", "encode, decode, train, check or measure a tokenizer", tokenizerCommands.run},
		{"spec", "list, check or describe specifications", specCommands.run},
		{"version", "print the version", runVersion},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// errUsage says that the command line is wrong; what is wrong has been printed.
var errUsage = errors.New("wrong usage")

// run runs one command and returns the exit status: 0, 1 for a failure, 2 for wrong usage.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	args = plain(args)
	if len(args) == 0 || flags.IsHelp(args[0]) {
		usage(stdout)
		return 0
	}
	if slices.ContainsFunc(args[1:min(3, len(args))], flags.IsHelp) {
		stderr = stdout // help that was asked for is what the command prints
	}
	var names []string
	for _, c := range commands() {
		if c.name == args[0] {
			return status(c.run(ctx, args[1:], stdout, stderr), stderr)
		}
		names = append(names, c.name)
	}
	fmt.Fprintf(stderr, "tfgen: no command is called %q%s; `tfgen help` lists them\n", args[0], spec.Suggest(args[0], names))
	return 2
}

// plain turns the other ways to ask for help and for the version into the plain ones.
func plain(args []string) []string {
	switch {
	case len(args) > 0 && args[0] == "help":
		return append(args[1:len(args):len(args)], "--help")
	case len(args) > 0 && (args[0] == "--version" || args[0] == "-version"):
		return append([]string{"version"}, args[1:]...)
	}
	return args
}

// status is the exit status for what a command returned; an error is printed if the command has not done so.
func status(err error, stderr io.Writer) int {
	var program exitStatus
	switch {
	case errors.As(err, &program):
		return int(program)
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2
	}
	fmt.Fprintln(stderr, "tfgen:", err)
	return 1
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "usage: tfgen COMMAND [arguments]\n\nCommands:")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-10s %s\n", c.name, c.summary)
	}
	fmt.Fprintln(w, "\n`tfgen COMMAND -h` explains a command. Most begin with one of these:\n\n"+
		"  tfgen run MODEL -p 'Once upon a time'        try a model\n"+
		"  tfgen build MODEL --program --weights q8     compile it\n"+
		"  tfgen inspect MODEL                          see what it is and what it takes")
}
