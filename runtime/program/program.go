// Package program is the command line of generated programs. The main package
// of a bundle describes its model in a Model and calls Main.
package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/tfgen/tfgen/runtime/chat"
	"github.com/tfgen/tfgen/runtime/constrain"
	"github.com/tfgen/tfgen/runtime/flags"
	"github.com/tfgen/tfgen/runtime/generate"
	"github.com/tfgen/tfgen/runtime/near"
	"github.com/tfgen/tfgen/runtime/toolcall"
)

// Model describes a generated model: what it is, what it costs, and how to
// open it. All sizes are exact and known without opening it.
type Model struct {
	Name string // package name, for example "gemma270m"
	Doc  string // what the model is, a sentence or two
	Arch string // name of the architecture's specification

	Parameters  int64
	WeightBytes int64 // size of the weights file
	Layers      int
	Width       int
	Vocabulary  int
	Context     int    // largest number of tokens of a session or text
	Facts       []Fact // further lines for info, in their order

	// SessionBytes returns the memory of a session for the given context: state
	// and activations. For an encoder: of one text of that many tokens. It may
	// be nil.
	SessionBytes func(context int) int64

	Weights string // name of the weights file; "" if they are part of the program
	Source  string // directory of the generated package, searched for the weights; may be ""

	Generates bool             // it has the commands of decoders
	Chats     bool             // it has the command chat
	Embeds    bool             // it has the commands of encoders
	Judges    []string         // its commands of models that judge: classify, rank, tag, answer, fill
	Defaults  generate.Options // of generate; EOS belongs here

	// Open opens the model; path is "" if Weights is "".
	Open func(path string, o OpenOptions) (*Instance, error)
}

// Fact is a line of the info command.
type Fact struct{ Name, Value string }

// OpenOptions are the options for opening a model.
type OpenOptions struct {
	Threads int  // 0 is one per processor
	Verify  bool // read and verify all weights, also of a large file
}

// Instance is an open model. A function that its kind of model does not have is
// nil.
type Instance struct {
	Tokenizer generate.Tokenizer
	Close     func() error

	// NewSession returns an empty session of a decoder for the given number of
	// tokens.
	NewSession func(context int) (Session, error)

	// Chat answers a conversation in a session of NewSession, which may hold a
	// part of it already.
	Chat func(ctx context.Context, s Session, messages []chat.Message, o chat.Options, options ...generate.Option) iter.Seq2[generate.Token, error]

	// Answers returns a parser for the answer to a conversation, which finds
	// reasoning and tool calls in it. Without it all of an answer is text.
	Answers func(messages []chat.Message, o chat.Options) (*toolcall.Parser, error)

	// Transcript says that the model has no chat template: Chat makes it go on
	// with a conversation in plain text.
	Transcript bool

	// Follow makes texts follow a grammar.
	Follow func(g *constrain.Grammar) generate.Option

	// Search returns several continuations of a prompt.
	Search func(ctx context.Context, prompt []int32, options ...generate.Option) ([]generate.Sequence, error)

	// Read makes an encoder–decoder read a source and returns the tokens that
	// its text begins with.
	Read func(ctx context.Context, s Session, source []int32) ([]int32, error)

	// Judge is what a model that judges texts can do.
	Judge Judge

	// Embed returns one vector per text.
	Embed func(ctx context.Context, texts []string) ([][]float32, error)
}

// Session is the state of a decoder.
type Session interface {
	generate.Stepper
	Close() error
}

// Exit codes of a program.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitInterrupted = 130 // as shells report SIGINT
)

// Main runs the program with the process's arguments and streams and exits. The
// first interrupt ends a generation in good order, the second ends the process.
func Main(m Model) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(Run(ctx, m, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// Run runs the program with the given arguments and streams and returns its exit
// code: 0, 1 for a failure, 2 for wrong usage, 130 if ctx was cancelled.
func Run(ctx context.Context, m Model, args []string, in io.Reader, out, log io.Writer) int {
	e := &env{ctx: ctx, model: m, in: in, out: out, log: log}
	err := e.dispatch(args)
	var usage usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintf(log, "%s: %v\nRun '%s help' for usage.\n", m.Name, err, m.Name)
		return exitUsage
	case ctx.Err() != nil:
		fmt.Fprintf(log, "%s: interrupted\n", m.Name)
		return exitInterrupted
	}
	fmt.Fprintf(log, "%s: %v\n", m.Name, err)
	return exitFailure
}

// usageError is an error in the arguments.
type usageError struct{ error }

// misuse returns a usageError.
func misuse(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// env is what a command works with.
type env struct {
	ctx   context.Context
	model Model
	in    io.Reader
	out   io.Writer
	log   io.Writer // messages and figures, not results

	sections []flags.Section // of the flags of the command that runs
}

// command is one row of the table of commands.
type command struct {
	name  string
	args  string // after the flags, for usage
	doc   string
	has   func(Model) bool // whether the model has it
	flags func(*env, *flag.FlagSet) func(args []string) error
}

func always(Model) bool      { return true }
func generates(m Model) bool { return m.Generates }
func embeds(m Model) bool    { return m.Embeds }
func chats(m Model) bool     { return m.Chats }

// commands returns the commands; the first one that a model has is its default.
func commands() []command {
	return []command{
		{"generate", "", "continue a prompt", generates, generateCommand},
		{"chat", "", "talk with the model", chats, chatCommand},
		{"embed", "[TEXT…]", "print the vectors of texts, or of the lines of standard input", embeds, embedCommand},
		{"classify", "[TEXT…]", "print the classes of texts, or of the lines of standard input", judges("classify"), classifyCommand},
		{"rank", "[TEXT…]", "order documents, or the lines of standard input, by what they say about a query", judges("rank"), rankCommand},
		{"tag", "[TEXT…]", "print the marked parts of texts, or of the lines of standard input", judges("tag"), tagCommand},
		{"answer", "[TEXT…]", "answer a question from texts, or from the lines of standard input", judges("answer"), answerCommand},
		{"fill", "[TEXT…]", "fill the masks in texts, or in the lines of standard input", judges("fill"), fillCommand},
		{"tokens", "[TEXT…]", "print the tokens of a text", always, tokensCommand},
		{"info", "", "print what the model is and how much memory it takes", always, infoCommand},
		{"bench", "", "measure the speed", always, benchCommand},
	}
}

// dispatch runs the command that args name, or the model's default command.
func (e *env) dispatch(args []string) error {
	var have []command
	for _, c := range commands() {
		if c.has(e.model) {
			have = append(have, c)
		}
	}
	if len(args) > 0 {
		switch args[0] {
		case "help", "-h", "-help", "--help":
			if len(args) > 1 && args[0] == "help" {
				return e.dispatch([]string{args[1], "--help"})
			}
			return e.help(have)
		}
		for _, c := range have {
			if c.name == args[0] {
				return e.run(c, args[1:])
			}
		}
		if !strings.HasPrefix(args[0], "-") {
			return misuse("unknown command %q%s: the commands are %s", args[0], suggest(args[0], have), strings.Join(names(have), ", "))
		}
	}
	return e.run(have[0], args)
}

// run parses the flags of a command and executes it.
func (e *env) run(c command, args []string) error {
	f := flag.NewFlagSet(c.name, flag.ContinueOnError)
	action := c.flags(e, f)
	rest, err := flags.Parse(f, args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(e.out, "usage: %s\n\n%s: %s.\n", strings.TrimSpace(e.model.Name+" "+c.name+" [flags] "+c.args), c.name, c.doc)
		flags.Print(e.out, f, e.sections...)
		return err
	}
	if err != nil {
		return misuse("%s: %v", c.name, err)
	}
	if c.args == "" && len(rest) > 0 {
		return misuse("%s: unexpected argument %q", c.name, rest[0])
	}
	return action(rest)
}

// help prints the commands.
func (e *env) help(have []command) error {
	fmt.Fprintf(e.out, "%s\n\nusage: %s [command] [flags]\n\n", e.model.Doc, e.model.Name)
	for i, c := range have {
		note := ""
		if i == 0 {
			note = " (the default)"
		}
		fmt.Fprintf(e.out, "  %-10s %s%s\n", c.name, c.doc, note)
	}
	fmt.Fprintf(e.out, "\n'%s COMMAND -h' lists the flags of a command.\n", e.model.Name)
	return nil
}

// names returns the names of the commands.
func names(have []command) (all []string) {
	for _, c := range have {
		all = append(all, c.name)
	}
	return all
}

// suggest names the command that was probably meant.
func suggest(name string, have []command) string {
	if found, ok := near.Name(name, names(have)); ok {
		return fmt.Sprintf(", did you mean %q?", found)
	}
	return ""
}

// opening holds the flags of the commands that open the model.
type opening struct {
	weights string
	options OpenOptions
}

// openingFlags adds the flags for opening the model.
func (e *env) openingFlags(f *flag.FlagSet) *opening {
	o := new(opening)
	flags.In(f, &e.sections, "Model", func() { e.addOpening(f, o) })
	return o
}

func (e *env) addOpening(f *flag.FlagSet, o *opening) {
	f.IntVar(&o.options.Threads, "threads", 0, "number of `threads`, at most one per processor; 0 is that many")
	if e.model.Weights != "" {
		f.StringVar(&o.weights, "weights", "", "`path` of the weights file (default: "+e.model.Weights+" beside the program, or in the package's directory)")
		f.BoolVar(&o.options.Verify, "verify", false, "verify all weights before starting, also of a large file")
	}
}

// open opens the model.
func (e *env) open(o *opening) (*Instance, error) {
	if o.options.Threads < 0 {
		return nil, misuse("threads %d: must be 0 or positive", o.options.Threads)
	}
	options := o.options
	options.Threads = min(options.Threads, runtime.NumCPU()) // more would wait for each other
	path := o.weights
	if path == "" && e.model.Weights != "" {
		var err error
		if path, err = e.findWeights(); err != nil {
			return nil, err
		}
	}
	return e.model.Open(path, options)
}

// findWeights returns the first place where the weights file exists: beside the
// program, in the package's directory, in the current directory.
func (e *env) findWeights() (string, error) {
	var tried []string
	if exe, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(exe); err == nil {
			exe = real
		}
		tried = append(tried, filepath.Join(filepath.Dir(exe), e.model.Weights))
	}
	if e.model.Source != "" {
		tried = append(tried, filepath.Join(e.model.Source, e.model.Weights))
	}
	tried = append(tried, e.model.Weights)
	for _, path := range tried {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("the weights file was not found; looked for %s; name it with --weights", strings.Join(tried, ", "))
}
