package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/tfgen/tfgen/gen/tokenizer/conform"
	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// runVerifyTokenizer compares with recorded results and prints the first difference of each file.
func runVerifyTokenizer(_ context.Context, args []string, stdout, stderr io.Writer) error {
	f := flagSet("verify", "EXPECTED.jsonl.gz… [--tokenizer FILE]", `Compares a tokenizer with recorded results of the Hugging Face tokenizers library: ids, offsets, words, types, decoded texts,
streaming pieces, pairs, truncation, padding; or single normalizers, pre-tokenizers and decoders. Prints the first difference.
The file names its tokenizer, which is looked for beside it, one folder up and under TFGEN_MODELS, and its corpus.`, stderr)
	o := conform.Options{Models: os.Getenv("TFGEN_MODELS")}
	f.StringVar(&o.Tokenizer, "tokenizer", "", "tokenizer in place of the one that the file names")
	f.StringVar(&o.Corpus, "corpus", "", "corpus.jsonl (default: beside the file or one folder up)")
	f.StringVar(&o.Long, "long", "", "long.jsonl.gz (default: beside the file or one folder up)")
	f.BoolVar(&o.AnyCorpus, "any-corpus", false, "do not compare the corpus' digest")
	f.IntVar(&o.Workers, "threads", 1, "texts to encode at once")
	all := f.Bool("all", false, "print all differences")
	rest, err := parseFlags(f, args)
	if err != nil {
		return err
	}
	if len(rest) == 0 {
		f.Usage()
		return errUsage
	}
	failed := false
	for _, path := range rest {
		r, err := conform.Verify(path, o)
		if err != nil {
			return err
		}
		fmt.Fprintln(stdout, r)
		for i, d := range r.Differences {
			if i > 0 && !*all {
				break
			}
			fmt.Fprintln(stdout, d)
		}
		failed = failed || len(r.Differences) > 0
	}
	if failed {
		return errors.New("some results differ")
	}
	return nil
}

// runBenchTokenizer measures a tokenizer on texts.
func runBenchTokenizer(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f := flagSet("bench", "TOKENIZER FILE…", "Measures loading, encoding and decoding of the files' text: the median of the rounds.", stderr)
	rounds := f.Int("rounds", 5, "rounds of each measurement")
	threads := f.Int("threads", runtime.GOMAXPROCS(0), "goroutines of the parallel measurement")
	useNative := f.Bool("native", false, "measure the tokenizers library of Hugging Face too: "+nativeHelp)
	rest, err := parseFlags(f, args)
	if err != nil {
		return err
	}
	if len(rest) < 2 || *rounds < 1 {
		f.Usage()
		return errUsage
	}
	t, packed, err := openTokenizer(rest[0], stderr)
	if err != nil {
		return err
	}
	var texts []string
	size := 0
	for _, path := range rest[1:] {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		texts = append(texts, string(b))
		size += len(b)
	}
	var more []benchmark
	if *useNative {
		if more, err = benchNative(rest[0], texts); err != nil {
			return err
		}
	}
	return measure(ctx, t, packed, texts, size, *rounds, *threads, more, stdout)
}

func measure(ctx context.Context, t *tokenizer.Tokenizer, packed []byte, texts []string, size, rounds, threads int, more []benchmark, stdout io.Writer) error {
	var ids []int32
	batch := pieces(texts, threads)
	rows := append([]benchmark{
		{"load", float64(len(packed)), func() { _, _ = tokenizer.Load(packed) }},
		{"encode", float64(size), func() {
			ids = ids[:0]
			for _, s := range texts {
				ids = t.AppendEncode(ids, s, false)
			}
		}},
		{fmt.Sprintf("encode, %d threads", threads), float64(size), func() { _, _ = t.EncodeBatch(batch, tokenizer.Options{Workers: threads}) }},
		{"decode", float64(size), func() { t.Decode(ids, false) }},
		{"decode, token by token", float64(size), func() {
			s := t.NewStream(false)
			for _, id := range ids {
				s.Next(id)
			}
		}},
	}, more...)
	for _, m := range rows {
		var times []time.Duration
		for range rounds {
			if err := ctx.Err(); err != nil {
				return err
			}
			times = append(times, m.once())
		}
		slices.Sort(times)
		median := times[len(times)/2]
		fmt.Fprintf(stdout, "%-24s %12v %10.1f MB/s\n", m.name, median.Round(time.Microsecond), m.bytes/1e6/median.Seconds())
	}
	fmt.Fprintf(stdout, "%d bytes, %d tokens, %.2f bytes a token\n", size, len(ids), float64(size)/float64(max(len(ids), 1)))
	return nil
}

// pieces cuts texts at line ends, so that a batch has something to share out.
func pieces(texts []string, threads int) []tokenizer.Input {
	var out []tokenizer.Input
	for _, s := range texts {
		step := max(len(s)/(8*threads), 1<<12)
		for len(s) > 0 {
			n := min(step, len(s))
			for n < len(s) && s[n-1] != '\n' {
				n++
			}
			out = append(out, tokenizer.Text(s[:n]))
			s = s[n:]
		}
	}
	return out
}
