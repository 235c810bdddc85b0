package program

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/tfgen/tfgen/runtime/constrain"
	"github.com/tfgen/tfgen/runtime/generate"
)

// samplingFlags adds the flags that say how tokens are chosen.
func samplingFlags(f *flag.FlagSet, o *generate.Options) {
	f.Float64Var(&o.Temperature, "temp", o.Temperature, "`temperature`; 0 chooses the most probable token")
	f.Uint64Var(&o.Seed, "seed", o.Seed, "`seed` of the random numbers")
	for _, x := range []struct {
		to         *float64
		name, help string
	}{
		{&o.TopP, "top-p", "sample from the most probable tokens that reach the `sum`; 0 is off"},
		{&o.MinP, "min-p", "sample from tokens with at least this `share` of the largest probability; 0 is off"},
		{&o.TypicalP, "typical-p", "sample from the most typical tokens that reach the `sum`; 0 is off"},
		{&o.TopNSigma, "top-n-sigma", "sample from logits within so many standard `deviations` of the largest; 0 is off"},
		{&o.XTCProbability, "xtc-probability", "`probability` of leaving out the top choices at a token"},
		{&o.XTCThreshold, "xtc-threshold", "least `probability` of a top choice"},
		{&o.RepetitionPenalty, "repetition-penalty", "`factor` above 1 against tokens that occurred; 0 is off"},
		{&o.FrequencyPenalty, "frequency-penalty", "`number` taken from a logit for each time that the token occurred"},
		{&o.PresencePenalty, "presence-penalty", "`number` taken from a logit if the token occurred"},
		{&o.DRY.Multiplier, "dry-multiplier", "`strength` of the penalty against repeating sequences (DRY); 0 is off"},
		{&o.MirostatTau, "mirostat-tau", "surprise in `bits` that mirostat aims at; 0 is 5"},
	} {
		f.Float64Var(x.to, x.name, *x.to, x.help)
	}
	f.IntVar(&o.TopK, "top-k", o.TopK, "sample from the `k` most probable tokens; 0 is off")
	f.IntVar(&o.Mirostat, "mirostat", o.Mirostat, "`version` of mirostat, 1 or 2; 0 is off")
	f.IntVar(&o.NoRepeatNGram, "no-repeat-ngram", o.NoRepeatNGram, "never repeat a sequence of so many `tokens`; 0 is off")
	f.IntVar(&o.Lookup, "lookup", o.Lookup, "guess so many `tokens` at a time by looking up the text so far; faster for texts that repeat, the result is the same")
	f.Func("dola", "`layers`, separated by commas, that the last one is contrasted with (DoLa), of a model compiled with --early", func(s string) (err error) {
		o.DoLa, err = layers(s)
		return err
	})
	f.DurationVar(&o.Deadline, "deadline", o.Deadline, "`time` after which the text ends; 0 is no limit")
}

// layers reads a list of numbers.
func layers(list string) (numbers []int, err error) {
	for _, part := range strings.Split(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil {
			return nil, fmt.Errorf("%q is not a number; expected layers as in 0,2", part)
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}

// constraint holds the flags of which one may say what a text must look like.
type constraint struct {
	schema, grammar, pattern string
	choices                  []string
}

// constraintFlags adds them.
func constraintFlags(f *flag.FlagSet) *constraint {
	c := new(constraint)
	f.StringVar(&c.schema, "json-schema", "", "`file` with a JSON Schema that the text must follow")
	f.StringVar(&c.grammar, "grammar", "", "`file` with a GBNF grammar that the text must follow")
	f.StringVar(&c.pattern, "regex", "", "regular `expression` that the text must match")
	f.Func("choice", "`text` that the answer may be; repeated for each", func(s string) error {
		c.choices = append(c.choices, s)
		return nil
	})
	return c
}

// compile returns the grammar that the flags ask for, nil for none.
func (c *constraint) compile() (g *constrain.Grammar, err error) {
	n := 0
	for _, set := range []bool{c.schema != "", c.grammar != "", c.pattern != "", c.choices != nil} {
		if set {
			n++
		}
	}
	if n > 1 {
		return nil, usageError{errors.New("give one of json-schema, grammar, regex and choice")}
	}
	switch {
	case c.schema != "":
		text, err := os.ReadFile(c.schema)
		if err != nil {
			return nil, err
		}
		return constrain.JSONSchema(text)
	case c.grammar != "":
		text, err := os.ReadFile(c.grammar)
		if err != nil {
			return nil, err
		}
		return constrain.GBNF(string(text))
	case c.pattern != "":
		return constrain.Regexp(c.pattern)
	case c.choices != nil:
		return constrain.Choices(c.choices...)
	}
	return nil, nil
}

// follow sets the constraint of the options.
func (m *Instance) follow(g *constrain.Grammar, o *generate.Options) error {
	if g == nil {
		return nil
	}
	if m.Follow == nil {
		return errors.New("the model has no tokenizer for a grammar")
	}
	m.Follow(g)(o)
	return nil
}
