package flags

import (
	"errors"
	"flag"
	"io"
	"slices"
	"strings"
	"testing"
)

// set has three flags, two of them in a section.
func set() (*flag.FlagSet, []Section) {
	f := flag.NewFlagSet("test", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	var sections []Section
	f.Int("n", 64, "number of `tokens`")
	In(f, &sections, "Sampling", func() {
		f.Float64("temp", 0, "`temperature` "+strings.Repeat("of many words ", 12))
		f.String("weights", "", "path (default: beside the program)")
	})
	return f, sections
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		args, rest string
		err        string
	}{
		{"a -n 3 b --temp 1", "a b", ""},
		{"-n=3", "", ""},
		{"a -- -n --temp", "a -n --temp", ""},
		{"a --tmep 1", "", "there is no flag --tmep, did you mean --temp?"},
		{"--zzzzzzzz", "", "there is no flag --zzzzzzzz"},
		{"-n x", "", `invalid value "x" for flag -n: parse error`},
	} {
		f, _ := set()
		rest, err := Parse(f, strings.Fields(c.args))
		if c.err == "" && (err != nil || !slices.Equal(rest, strings.Fields(c.rest))) || c.err != "" && (err == nil || err.Error() != c.err) {
			t.Errorf("%q: %q, %v, expected %q and the error %q", c.args, rest, err, c.rest, c.err)
		}
	}
	f, _ := set()
	if _, err := Parse(f, []string{"x", "--help"}); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("--help gives %v", err)
	}
}

func TestPrint(t *testing.T) {
	f, sections := set()
	var b strings.Builder
	Print(&b, f, sections...)
	want := "\nFlags:\n  -n tokens\n        number of tokens (default 64)\n\nSampling:\n  --temp temperature\n        temperature of many words "
	if !strings.HasPrefix(b.String(), want) || !strings.HasSuffix(b.String(), "  --weights string\n        path (default: beside the program)\n") {
		t.Errorf("help is %s", b.String())
	}
	for line := range strings.Lines(b.String()) {
		if len(line) > Width+1 {
			t.Errorf("a line has %d characters: %s", len(line), line)
		}
	}
}
