package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	hf "github.com/tfgen/tfgen/gen/tokenizer/native"
)

const nativeHelp = "use the tokenizers library of Hugging Face, of a tfgen built with it (make test-native builds bin/tfgen-native)"

// openNative opens a tokenizer.json, or that of a directory, with the library of Hugging Face.
func openNative(path string, literal bool) (*hf.Tokenizer, []byte, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "tokenizer.json")
	}
	config, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	t, err := hf.Open(config, literal)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, config, nil
}

// encodeNative prints the ids of texts.
func (o *encodeOptions) encodeNative(path string, texts []string, stdout io.Writer) error {
	if o.asJSON || o.pair || o.words || o.max > 0 || o.padTo > 0 {
		return fmt.Errorf("--native prints ids of single texts: it goes with --special and --literal only")
	}
	t, _, err := openNative(path, o.Literal)
	if err != nil {
		return err
	}
	defer t.Close()
	if len(texts) == 0 {
		b, err := io.ReadAll(stdin)
		if err != nil {
			return err
		}
		texts = []string{string(b)}
	}
	for _, text := range texts {
		e, err := t.Encode(text, o.Special)
		if err != nil {
			return err
		}
		fmt.Fprintln(stdout, strings.Trim(fmt.Sprint(e.IDs), "[]"))
	}
	return nil
}

// decodeNative prints the text of ids.
func decodeNative(path string, in io.Reader, skip bool, stdout io.Writer) error {
	t, _, err := openNative(path, false)
	if err != nil {
		return err
	}
	defer t.Close()
	return decodeAll(t, t.NewStream(skip), in, stdout)
}

// benchNative adds the library's rows to a benchmark.
func benchNative(path string, texts []string) (rows []benchmark, err error) {
	t, config, err := openNative(path, false)
	if err != nil {
		return nil, err
	}
	size := 0
	for _, s := range texts {
		size += len(s)
	}
	return []benchmark{
		{"native: load", float64(len(config)), func() {
			if t, err := hf.Open(config, false); err == nil {
				t.Close()
			}
		}},
		{"native: encode", float64(size), func() {
			for _, s := range texts {
				t.AppendEncode(nil, s, false)
			}
		}},
	}, nil
}

// benchmark is a row of tokenizer bench: what runs, and the bytes that it works through.
type benchmark struct {
	name  string
	bytes float64
	run   func()
}

// once measures one run.
func (b benchmark) once() time.Duration {
	begin := time.Now()
	b.run()
	return time.Since(begin)
}
