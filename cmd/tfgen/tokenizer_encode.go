package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// stdin is where encode and decode read what the command line does not give.
var stdin io.Reader = os.Stdin

// encodeOptions are the flags of encode.
type encodeOptions struct {
	asJSON, pair, words, left, padLeft bool
	native                             bool
	max, stride, padTo                 int
	strategy                           string
	tokenizer.Options
}

var strategies = map[string]tokenizer.Strategy{
	"longest_first": tokenizer.LongestFirst, "only_first": tokenizer.OnlyFirst, "only_second": tokenizer.OnlySecond,
}

// runEncode prints ids, a line for each text.
func runEncode(_ context.Context, args []string, stdout, stderr io.Writer) error {
	o := &encodeOptions{}
	f := flagSet("encode", "TOKENIZER [TEXT…]", "Prints the ids of each text on a line, or of standard input as one text, which may be of any length.", stderr)
	f.BoolVar(&o.Special, "special", true, "add the tokens that the model expects around a text")
	f.BoolVar(&o.Literal, "literal", false, "do not recognise special tokens in the text")
	f.BoolVar(&o.asJSON, "json", false, "print all that is known of the tokens as JSON")
	f.BoolVar(&o.Runes, "runes", false, "count offsets in characters in place of bytes")
	f.BoolVar(&o.pair, "pair", false, "encode two texts as a pair")
	f.BoolVar(&o.words, "words", false, "take a text as words between white space that are cut already")
	f.IntVar(&o.max, "max", 0, "truncate to that many tokens")
	f.IntVar(&o.stride, "stride", 0, "tokens that the windows of a truncated text share")
	f.StringVar(&o.strategy, "strategy", "longest_first", "what to truncate: longest_first, only_first or only_second")
	f.BoolVar(&o.left, "left", false, "truncate at the beginning")
	f.IntVar(&o.padTo, "pad", 0, "pad to a multiple of that many tokens")
	f.BoolVar(&o.padLeft, "pad-left", false, "pad at the beginning")
	f.BoolVar(&o.native, "native", false, nativeHelp)
	rest, err := parseFlags(f, args)
	if err != nil {
		return err
	}
	if len(rest) == 0 || o.pair && len(rest) != 3 {
		f.Usage()
		return errUsage
	}
	if o.native {
		return o.encodeNative(rest[0], rest[1:], stdout)
	}
	t, _, err := openTokenizer(rest[0], stderr)
	if err != nil {
		return err
	}
	plain := !o.asJSON && !o.pair && !o.words && !o.Literal && o.max == 0 && o.padTo == 0
	if len(rest) == 1 && plain {
		return encodeStream(t, o.Special, stdout)
	}
	return o.encode(t, rest[1:], stdout)
}

// encodeStream encodes standard input part by part.
func encodeStream(t *tokenizer.Tokenizer, special bool, stdout io.Writer) error {
	w := bufio.NewWriter(stdout)
	sep := ""
	e := t.NewEncoder(special, func(ids []int32) error {
		for _, id := range ids {
			fmt.Fprint(w, sep, id)
			sep = " "
		}
		return nil
	})
	if _, err := io.Copy(e, stdin); err != nil {
		return err
	}
	if err := e.Close(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	return w.Flush()
}

func (o *encodeOptions) encode(t *tokenizer.Tokenizer, texts []string, stdout io.Writer) error {
	if len(texts) == 0 {
		b, err := io.ReadAll(stdin)
		if err != nil {
			return err
		}
		texts = []string{string(b)}
	}
	strategy, ok := strategies[o.strategy]
	if !ok {
		return fmt.Errorf("no strategy is called %q", o.strategy)
	}
	if o.max > 0 {
		o.Truncation = &tokenizer.Truncation{Max: o.max, Stride: o.stride, Strategy: strategy, Left: o.left}
	}
	if o.padTo > 0 {
		o.Padding = &tokenizer.Padding{Multiple: o.padTo, Left: o.padLeft}
		if p := t.Padding(); p != nil {
			o.Padding.ID, o.Padding.TypeID = p.ID, p.TypeID
		}
	}
	list, err := t.EncodeBatch(o.inputs(texts), o.Options)
	if err != nil {
		return err
	}
	for _, e := range list {
		if err := o.print(t, e, stdout); err != nil {
			return err
		}
	}
	return nil
}

func (o *encodeOptions) inputs(texts []string) []tokenizer.Input {
	var in []tokenizer.Input
	switch {
	case o.pair && o.words:
		in = append(in, tokenizer.PairOfWords(strings.Fields(texts[0]), strings.Fields(texts[1])))
	case o.pair:
		in = append(in, tokenizer.Pair(texts[0], texts[1]))
	default:
		for _, s := range texts {
			if o.words {
				in = append(in, tokenizer.Words(strings.Fields(s)))
			} else {
				in = append(in, tokenizer.Text(s))
			}
		}
	}
	return in
}

// printed is an encoding as JSON.
type printed struct {
	IDs      []int32   `json:"ids"`
	Tokens   []string  `json:"tokens"`
	Offsets  [][2]int  `json:"offsets"`
	Words    []int32   `json:"words"`
	TypeIDs  []int32   `json:"type_ids"`
	Mask     []int32   `json:"attention_mask"`
	Special  []int32   `json:"special_tokens_mask"`
	Sequence []int32   `json:"sequences"`
	Overflow []printed `json:"overflow,omitempty"`
}

// list is the list itself, or an empty one for nil, which JSON would print as null.
func list[T any](l []T) []T { return append([]T{}, l...) }

func newPrinted(t *tokenizer.Tokenizer, e *tokenizer.Encoding) printed {
	p := printed{IDs: list(e.IDs), Tokens: []string{}, Offsets: list(e.Offsets), Words: list(e.Words), TypeIDs: list(e.TypeIDs), Mask: list(e.Mask), Special: list(e.Special), Sequence: list(e.Sequences())}
	for _, id := range e.IDs {
		p.Tokens = append(p.Tokens, t.Token(id))
	}
	for _, w := range e.Overflow {
		p.Overflow = append(p.Overflow, newPrinted(t, w))
	}
	return p
}

func (o *encodeOptions) print(t *tokenizer.Tokenizer, e *tokenizer.Encoding, stdout io.Writer) error {
	if o.asJSON {
		return json.NewEncoder(stdout).Encode(newPrinted(t, e))
	}
	for _, part := range append([]*tokenizer.Encoding{e}, e.Overflow...) {
		if _, err := fmt.Fprintln(stdout, strings.Trim(fmt.Sprint(part.IDs), "[]")); err != nil {
			return err
		}
	}
	return nil
}

// runDecode prints text.
func runDecode(_ context.Context, args []string, stdout, stderr io.Writer) error {
	f := flagSet("decode", "TOKENIZER [ID…]", "Prints the text of ids, which may be separated by white space or commas, token by token as it is complete.", stderr)
	skip := f.Bool("skip-special", false, "leave special tokens out")
	useNative := f.Bool("native", false, nativeHelp)
	rest, err := parseFlags(f, args)
	if err != nil {
		return err
	}
	if len(rest) == 0 {
		f.Usage()
		return errUsage
	}
	var in io.Reader = strings.NewReader(strings.Join(rest[1:], " "))
	if len(rest) == 1 {
		in = stdin
	}
	if *useNative {
		return decodeNative(rest[0], in, *skip, stdout)
	}
	t, _, err := openTokenizer(rest[0], stderr)
	if err != nil {
		return err
	}
	return decodeAll(t, t.NewStream(*skip), in, stdout)
}

// decodeAll prints the pieces of the stream, and at the end what it still holds back.
func decodeAll(t interface{ VocabSize() int }, s interface{ Next(id int32) string }, in io.Reader, stdout io.Writer) error {
	w := bufio.NewWriter(stdout)
	r := bufio.NewScanner(in)
	r.Buffer(nil, 1<<20)
	r.Split(scanNumbers)
	for r.Scan() {
		id, err := strconv.ParseInt(r.Text(), 10, 32)
		if err != nil || id < 0 || int(id) >= t.VocabSize() {
			return fmt.Errorf("%q is no id from 0 to %d", r.Text(), t.VocabSize()-1)
		}
		if _, err := w.WriteString(s.Next(int32(id))); err != nil {
			return err
		}
	}
	if err := r.Err(); err != nil {
		return err
	}
	if s, ok := s.(interface{ Rest() string }); ok {
		w.WriteString(s.Rest())
	}
	fmt.Fprintln(w)
	return w.Flush()
}

// scanNumbers splits at white space, commas and brackets.
func scanNumbers(data []byte, atEOF bool) (advance int, token []byte, err error) {
	start := 0
	between := func(c byte) bool { return strings.IndexByte(" \t\r\n,[]", c) >= 0 }
	for start < len(data) && between(data[start]) {
		start++
	}
	for i := start; i < len(data); i++ {
		if between(data[i]) {
			return i + 1, data[start:i], nil
		}
	}
	if atEOF && start < len(data) {
		return len(data), data[start:], nil
	}
	return start, nil, nil
}
