package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"

	source "github.com/tfgen/tfgen/gen/tokenizer"
	"github.com/tfgen/tfgen/runtime/tokenizer"
)

const tokenizerHelp = `usage: tfgen tokenizer COMMAND [arguments]

  encode   TOKENIZER [TEXT…]        print the ids of texts, or of standard input
  decode   TOKENIZER [ID…]          print the text of ids, or of those on standard input
  inspect  TOKENIZER                say what a tokenizer does
  verify   EXPECTED.jsonl.gz…       compare with recorded results
  train    FILE… -o OUT.json        train a tokenizer on texts
  bench    TOKENIZER FILE…          measure loading, encoding and decoding

TOKENIZER is a tokenizer.json, a GGUF file, a .model of SentencePiece, a .tiktoken file, vocab.txt, vocab.json with merges.txt
beside it, a packed tokenizer, or a model's directory. 'tfgen tokenizer COMMAND -h' explains a command.
`

// tokenizerCommands are the commands of the tokenizer command.
var tokenizerCommands = group{"tokenizer", tokenizerHelp, map[string]action{
	"encode": runEncode, "decode": runDecode, "inspect": runInspectTokenizer, "verify": runVerifyTokenizer, "train": runTrain, "bench": runBenchTokenizer,
}}

// flagSet makes the flags of a tokenizer command with its help.
func flagSet(name, usage, about string, stderr io.Writer) *flag.FlagSet {
	return newFlags("tokenizer "+name, fmt.Sprintf("usage: tfgen tokenizer %s %s\n\n%s\n", name, usage, about), stderr)
}

// openTokenizer loads a tokenizer from any of its forms, and prints the notes.
func openTokenizer(path string, stderr io.Writer) (*tokenizer.Tokenizer, []byte, error) {
	packed, err := source.FromFile(path)
	if err != nil {
		return nil, nil, err
	}
	notes, err := source.Notes(packed)
	if err != nil {
		return nil, nil, err
	}
	for _, n := range notes {
		fmt.Fprintln(stderr, "note:", n)
	}
	t, err := tokenizer.Load(packed)
	return t, packed, err
}

// runInspectTokenizer prints the stages of a tokenizer.
func runInspectTokenizer(_ context.Context, args []string, stdout, stderr io.Writer) error {
	f := flagSet("inspect", "TOKENIZER", "Says what a tokenizer does, step by step, and what it takes.", stderr)
	added := f.Bool("added", false, "list all added tokens")
	rest, err := parseFlags(f, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		f.Usage()
		return errUsage
	}
	t, packed, err := openTokenizer(rest[0], stderr)
	if err != nil {
		return err
	}
	p, err := tokenizer.ReadPipeline(packed)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "ids             %d\npacked          %d B\nadded tokens    %d\nencodes streams %v\n", t.VocabSize(), len(packed), len(p.Added), t.Streams())
	for _, s := range p.Steps {
		stage, text := source.Describe(s)
		fmt.Fprintf(stdout, "%-15s %s\n", stage, text)
	}
	for i, a := range p.Added {
		if i == 10 && !*added {
			fmt.Fprintf(stdout, "%-15s and %d more\n", "added", len(p.Added)-i)
			break
		}
		fmt.Fprintf(stdout, "%-15s %d %q%s\n", "added", a.ID, a.Pattern, addedFlags(a.Flags))
	}
	return nil
}

func addedFlags(f int32) string {
	var s []string
	for i, name := range []string{"single word", "strips left", "strips right", "normalized", "special"} {
		if f>>i&1 != 0 {
			s = append(s, name)
		}
	}
	if len(s) == 0 {
		return ""
	}
	return " (" + strings.Join(s, ", ") + ")"
}
