package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	source "github.com/tfgen/tfgen/gen/tokenizer"
	"github.com/tfgen/tfgen/gen/tokenizer/train"
)

// trainFlags are the flags of train.
type trainFlags struct {
	train.Options
	template, form, special, alphabet, out string
	quiet                                  bool
}

// runTrain trains a tokenizer and writes its tokenizer.json.
func runTrain(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o := &trainFlags{}
	f := flagSet("train", "FILE… -o OUT.json", `Trains a tokenizer on the lines of text files and writes a tokenizer.json. How text is cut into words comes from a form
(`+strings.Join(train.Forms(), ", ")+`) or from another tokenizer.json. The result is that of the Hugging Face trainers where these
do not depend on the order of a hash table.`, stderr)
	f.StringVar(&o.form, "form", "", "customary tokenizer: bytes (GPT-2), bert, metaspace (SentencePiece) or words")
	f.StringVar(&o.template, "template", "", "tokenizer.json whose normalizer, pre-tokenizer, post-processor, decoder and model options are kept")
	f.StringVar(&o.Model, "model", "", "BPE, WordPiece, Unigram or WordLevel (default: that of the form or template)")
	f.StringVar(&o.out, "o", "", "file to write")
	f.IntVar(&o.VocabSize, "vocab-size", 0, "tokens, special ones included (default: 30000, Unigram 8000)")
	f.IntVar(&o.MinFrequency, "min-frequency", 0, "least number of times that a pair or word occurs")
	f.StringVar(&o.special, "special", "", "special tokens, separated by commas")
	f.StringVar(&o.Unknown, "unknown", "", "the unknown token")
	f.IntVar(&o.LimitAlphabet, "limit-alphabet", 0, "characters at most")
	f.StringVar(&o.alphabet, "alphabet", "", "characters that are there in any case")
	f.StringVar(&o.Prefix, "prefix", "", "prefix of tokens that continue a word; WordPiece has ## unless one is given, which may be empty")
	f.StringVar(&o.Suffix, "suffix", "", "suffix of tokens that end a word")
	f.IntVar(&o.MaxTokenLength, "max-token-length", 0, "characters of a BPE token at most")
	f.Float64Var(&o.ShrinkingFactor, "shrinking-factor", 0.75, "Unigram: part of the pieces that stays in each round")
	f.IntVar(&o.SubIterations, "sub-iterations", 2, "Unigram: rounds of expectation and maximisation")
	f.IntVar(&o.MaxPieceLength, "max-piece-length", 16, "Unigram: characters of a piece at most")
	f.IntVar(&o.Workers, "threads", 0, "goroutines (default: one a processor)")
	f.BoolVar(&o.quiet, "quiet", false, "say nothing about progress")
	files, err := parseFlags(f, args)
	if err != nil {
		return err
	}
	if len(files) == 0 || o.out == "" || (o.form == "") == (o.template == "") {
		f.Usage()
		return errUsage
	}
	f.Visit(func(f *flag.Flag) { o.NoPrefix = o.NoPrefix || f.Name == "prefix" && o.Prefix == "" })
	return o.run(ctx, files, stdout, stderr)
}

// base returns the template and the options that go with it.
func (o *trainFlags) base() (*train.Template, train.Options, error) {
	if o.form != "" {
		return train.Form(o.form)
	}
	src, err := os.ReadFile(o.template)
	if err != nil {
		return nil, train.Options{}, err
	}
	t, options, err := train.ReadTemplate(src)
	if err != nil {
		return nil, options, fmt.Errorf("%s: %w", o.template, err)
	}
	return t, options, nil
}

// merge takes what the flags do not say from the base.
func (o *trainFlags) merge(base train.Options) {
	if o.Model == "" {
		o.Model = base.Model
	}
	for _, s := range []struct {
		to   *string
		from string
	}{{&o.Unknown, base.Unknown}, {&o.Prefix, base.Prefix}, {&o.Suffix, base.Suffix}} {
		if *s.to == "" && !(s.to == &o.Prefix && o.NoPrefix) {
			*s.to = s.from
		}
	}
	o.NoPrefix = o.NoPrefix || base.NoPrefix && o.Prefix == ""
	o.Special = base.Special
	if o.special != "" {
		o.Special = strings.Split(o.special, ",")
	}
	o.InitialAlphabet = base.InitialAlphabet
	if o.alphabet != "" {
		o.InitialAlphabet = []rune(o.alphabet)
	}
	o.ByteFallback = base.ByteFallback
}

func (o *trainFlags) run(ctx context.Context, files []string, stdout, stderr io.Writer) error {
	template, base, err := o.base()
	if err != nil {
		return err
	}
	o.merge(base)
	split, err := template.Splitter()
	if err != nil {
		return err
	}
	if !o.quiet {
		o.Progress = stages(stderr)
	}
	words, err := train.Count(ctx, files, split, o.Workers, o.Progress)
	if err != nil {
		return err
	}
	m, err := train.Train(ctx, words, o.Options)
	if err != nil {
		return err
	}
	special := o.Special
	if m.Kind == train.Unigram && m.UnknownID == 0 && len(m.Tokens) > 0 && m.Tokens[0].Text == o.Unknown && len(special) == 0 {
		special = []string{o.Unknown}
	}
	out, err := template.Write(m, special)
	if err != nil {
		return err
	}
	if _, err := source.FromJSON(out, nil); err != nil {
		return fmt.Errorf("the result cannot be used: %w", err)
	}
	if err := os.WriteFile(o.out, out, 0o644); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: %s of %d tokens, %d merges, from %d different words\n", o.out, m.Kind, len(m.Tokens), len(m.Merges), len(words))
	return nil
}

// stages prints how far each stage is, every few seconds and at its end.
func stages(w io.Writer) func(stage string, done, total int) {
	var stage string
	last := time.Now()
	return func(s string, done, total int) {
		if s == stage && done < total && time.Since(last) < 3*time.Second {
			return
		}
		if s == stage && done >= total && time.Since(last) < 100*time.Millisecond {
			return
		}
		stage, last = s, time.Now()
		fmt.Fprintf(w, "%s: %d of %d\n", s, done, total)
	}
}
