package program

import (
	"errors"
	"flag"
	"fmt"
	"strings"
)

// piece is a token and its text.
type piece struct {
	ID   int32  `json:"id"`
	Text string `json:"text"`
}

// tokensCommand adds the flags of tokens and returns its action.
func tokensCommand(e *env, f *flag.FlagSet) func([]string) error {
	o := e.openingFlags(f)
	asJSON := f.Bool("json", false, "print one JSON array")
	plain := f.Bool("plain", false, "leave out the tokens that the model expects around a text")
	return func(args []string) error { return e.tokens(o, args, *asJSON, !*plain) }
}

// tokens prints the tokens of a text, one a line.
func (e *env) tokens(o *opening, args []string, asJSON, special bool) (err error) {
	text := strings.Join(args, " ")
	if len(args) == 0 {
		if text, err = e.readInput("the text"); err != nil {
			return err
		}
	}
	model, err := e.open(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, model.Close()) }()
	pieces := []piece{}
	for _, id := range model.Tokenizer.AppendEncode(nil, text, special) {
		pieces = append(pieces, piece{id, model.Tokenizer.NewStream(false).Next(id)})
	}
	if asJSON {
		return e.printJSON(pieces)
	}
	for _, p := range pieces {
		if _, err := fmt.Fprintf(e.out, "%8d  %q\n", p.ID, p.Text); err != nil {
			return err
		}
	}
	return nil
}
