package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// customary are the files that models come with. tokenizer.json says most.
var customary = []string{"tokenizer.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "tokenizer.tiktoken", "qwen.tiktoken", "vocab.txt", "vocab.json"}

// FromDir packs the tokenizer of a model's directory: the first that is there of the files in customary.
func FromDir(dir string) ([]byte, error) {
	for _, name := range customary {
		path := filepath.Join(dir, name)
		src, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		packed, err := fromFiles(path, src)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
		return packed, nil
	}
	return nil, fmt.Errorf("%s: no tokenizer (%w); supported are %s, and merges.txt beside the last", dir, fs.ErrNotExist, strings.Join(customary, ", "))
}

// fromFiles also checks what lies beside tokenizer.json.
func fromFiles(path string, src []byte) ([]byte, error) {
	if filepath.Base(path) != "tokenizer.json" {
		return fromBytes(path, src)
	}
	config, err := os.ReadFile(filepath.Join(filepath.Dir(path), "tokenizer_config.json"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return FromJSON(src, config)
}

// fromVocabTxt packs BERT's vocabulary, a token a line. config says whether it is lower-cased, as it is by
// default.
func fromVocabTxt(vocab, config []byte) ([]byte, error) {
	var c struct {
		Lower   *bool `json:"do_lower_case"`
		Han     *bool `json:"tokenize_chinese_chars"`
		Accents *bool `json:"strip_accents"`
	}
	if config != nil {
		if err := json.Unmarshal(config, &c); err != nil {
			return nil, fmt.Errorf("tokenizer_config.json: %w", err)
		}
	}
	if !or(c.Han, true) || c.Accents != nil {
		return nil, fmt.Errorf("vocab.txt with tokenize_chinese_chars or strip_accents set is not supported; supported is do_lower_case")
	}
	b := &builder{}
	ids := map[string]int32{}
	for i, line := range strings.Split(strings.TrimSuffix(string(vocab), "\n"), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if _, twice := ids[line]; twice {
			return nil, fmt.Errorf("vocab.txt:%d: token %q for the second time", i+1, line)
		}
		ids[line] = int32(i)
	}
	if err := b.setVocab(ids); err != nil {
		return nil, err
	}
	var list []added
	special := map[string]int32{"[UNK]": -1, "[CLS]": -1, "[SEP]": -1}
	for _, s := range []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"} {
		id, ok := ids[s]
		if _, needed := special[s]; needed && !ok {
			return nil, fmt.Errorf("vocab.txt has no %s", s)
		}
		if ok {
			special[s] = id
			list = append(list, added{text: s, special: true})
		}
	}
	if err := b.bertSteps(special["[UNK]"], special["[CLS]"], special["[SEP]"], or(c.Lower, true)); err != nil {
		return nil, err
	}
	return b.pack(list)
}

// bertSteps are those of BERT's own tokenizer. cls and sep may be −1.
func (b *builder) bertSteps(unknown, cls, sep int32, lower bool) error {
	b.step(tokenizer.NormBertClean, nil)
	b.step(tokenizer.NormBertHan, nil)
	if lower {
		b.step(tokenizer.NormNFD, nil)
		b.step(tokenizer.NormBertAccents, nil)
		b.step(tokenizer.NormLowercase, nil)
	}
	b.step(tokenizer.PreBert, nil)
	b.step(tokenizer.ModelWordPiece, []int32{unknown, 100}, "##")
	b.step(tokenizer.DecodeWordPiece, []int32{1}, "##")
	if cls < 0 || sep < 0 {
		return nil
	}
	b.templates([]int32{cls, 0, first, 0, sep, 0}, []int32{cls, 0, first, 0, sep, 0, second, 1, sep, 1})
	return nil
}

// fromVocabMerges packs GPT-2's files.
func fromVocabMerges(vocab, merges []byte) ([]byte, error) {
	b := &builder{}
	ids := map[string]int32{}
	if err := json.Unmarshal(vocab, &ids); err != nil {
		return nil, fmt.Errorf("vocab.json: %w", err)
	}
	if err := b.setVocab(ids); err != nil {
		return nil, err
	}
	lines := strings.Split(string(bytes.TrimRight(merges, "\r\n")), "\n")
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\r")
	}
	pairs, err := splitMerges(lines)
	if err != nil {
		return nil, fmt.Errorf("merges.txt: %w", err)
	}
	for _, p := range pairs {
		if err := b.merge(p[0], p[1], ""); err != nil {
			return nil, err
		}
	}
	b.step(tokenizer.PreByteLevel, []int32{0, 1})
	b.bpeStep(0, -1, "", "")
	b.step(tokenizer.DecodeByteLevel, nil)
	var list []added
	if _, ok := ids["<|endoftext|>"]; ok {
		list = append(list, added{text: "<|endoftext|>", special: true})
	}
	return b.pack(list)
}
