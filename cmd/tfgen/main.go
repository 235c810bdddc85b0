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
	"syscall"
)

// command is one row of the table of subcommands.
type command struct {
	name, summary string
	run           func(ctx context.Context, args []string, stdout, stderr io.Writer) error
}

func commands() []command {
	return []command{
		{"build", "compile a checkpoint into a Go package", runBuild},
		{"run", "build a model into a cache and run it", runRun},
		{"inspect", "say what a model is and what it takes, before a weight is read", runInspect},
		{"bench", "measure the speed of a model, and its share of what the machine can do", runBench},
		{"tune", "measure how products are best cut on this machine, into a table for build", runTune},
		{"quantize", "say what a weight format does to each matrix", runQuantize},
		{"eval", "measure what a weight format costs, over a text", runEval},
		{"verify", "compare generated code with golden cases", runVerify},
		{"generation", "compare sampling and searches with recorded results", runGeneration},
		{"template", "render chat templates, or compare them with recorded results", runTemplate},
		{"parity", "compare all targets of a model with each other", runParity},
		{"diff", "show what changed between two generated packages", runDiff},
		{"tokenizer", "encode, decode, train, check or measure a tokenizer", runTokenizer},
		{"spec", "list, check or describe specifications", runSpec},
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
	name := "help"
	if len(args) > 0 {
		name = args[0]
	}
	for _, c := range commands() {
		if c.name != name {
			continue
		}
		err := c.run(ctx, args[1:], stdout, stderr)
		var status exitStatus
		switch {
		case errors.As(err, &status):
			return int(status)
		case err == nil, errors.Is(err, flag.ErrHelp):
			return 0
		case errors.Is(err, errUsage):
			return 2
		}
		fmt.Fprintln(stderr, "tfgen:", err)
		return 1
	}
	if name != "help" && name != "-h" && name != "--help" {
		fmt.Fprintf(stderr, "tfgen: no command is called %q\n\n", name)
		usage(stderr)
		return 2
	}
	usage(stdout)
	return 0
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "usage: tfgen COMMAND [arguments]\n\nCommands:")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-10s %s\n", c.name, c.summary)
	}
	fmt.Fprintln(w, "\n`tfgen COMMAND -h` explains a command.")
}
