package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tfgen/tfgen/gen/checkpoint/gguf"
	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// maxFile bounds a tokenizer's file; the largest published ones have some 40 MB. A GGUF file may be larger: only its
// metadata is read.
const maxFile = 512 << 20

// FromFile packs the tokenizer in a file or directory: tokenizer.json, GGUF, SentencePiece's .model, tiktoken's
// .tiktoken, vocab.txt, vocab.json with merges.txt beside it, or a packed tokenizer.
func FromFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return FromDir(path)
	}
	if strings.HasSuffix(path, ".gguf") {
		return fromGGUFFile(path, info.Size())
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s has %d bytes, at most %d are supported", path, info.Size(), maxFile)
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	packed, err := fromBytes(path, src)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return packed, nil
}

// fromBytes tells the formats apart by their names where these are customary, else by their contents.
func fromBytes(path string, src []byte) ([]byte, error) {
	dir, base := filepath.Split(path)
	side := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil
		}
		return b
	}
	switch {
	case base == "vocab.txt":
		return fromVocabTxt(src, side("tokenizer_config.json"))
	case base == "vocab.json":
		merges := side("merges.txt")
		if merges == nil {
			return nil, fmt.Errorf("there is no merges.txt beside it")
		}
		return fromVocabMerges(src, merges)
	case strings.HasSuffix(base, ".tiktoken"):
		return FromTiktoken(src, base, side("tokenizer_config.json"))
	case strings.HasSuffix(base, ".model"):
		if isTiktoken(src) { // Llama 3 calls it so
			return FromTiktoken(src, base, side("tokenizer_config.json"))
		}
		return FromSentencePiece(src)
	}
	if _, err := tokenizer.Load(src); err == nil {
		return src, nil
	}
	if trimmed := bytes.TrimLeft(src, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '{' {
		return FromJSON(src, nil)
	}
	return nil, fmt.Errorf("no known form of tokenizer; known are tokenizer.json, .gguf, .model, .tiktoken, vocab.txt, vocab.json with merges.txt, and packed ones")
}

func fromGGUFFile(path string, size int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	g, err := gguf.Read(f, size, filepath.Base(path), 1<<16)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	packed, err := FromGGUF(g.Metadata)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return packed, nil
}

// Component returns the steps of one component of a tokenizer.json: stage is normalizer, pre_tokenizer,
// post_processor or decoder.
func Component(stage string, src json.RawMessage) ([]tokenizer.Step, error) {
	b := &builder{}
	read, ok := stages[stage]
	if !ok {
		return nil, fmt.Errorf("no stage is called %q", stage)
	}
	if err := b.each(src, 0, read); err != nil {
		return nil, err
	}
	return b.Steps, nil
}
