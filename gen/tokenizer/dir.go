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

// FromDir packs the tokenizer of a model's directory: tokenizer.json, else BERT's vocab.txt, else GPT-2's
// vocab.json and merges.txt.
func FromDir(dir string) ([]byte, error) {
	files := map[string][]byte{}
	for _, name := range []string{"tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "merges.txt"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err == nil {
			files[name] = b
		}
	}
	var packed []byte
	var err error
	switch {
	case files["tokenizer.json"] != nil:
		packed, err = FromJSON(files["tokenizer.json"], files["tokenizer_config.json"])
	case files["vocab.txt"] != nil:
		packed, err = fromVocabTxt(files["vocab.txt"], files["tokenizer_config.json"])
	case files["vocab.json"] != nil && files["merges.txt"] != nil:
		packed, err = fromVocabMerges(files["vocab.json"], files["merges.txt"])
	default:
		err = fmt.Errorf("no tokenizer (%w); supported are tokenizer.json, vocab.txt, and vocab.json with merges.txt", fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return packed, nil
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
	return b.templates([]int32{cls, 0, first, 0, sep, 0}, []int32{cls, 0, first, 0, sep, 0, second, 1, sep, 1})
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
	b.bpeStep(false, false, false, -1, "", "")
	b.step(tokenizer.DecodeByteLevel, nil)
	var list []added
	if _, ok := ids["<|endoftext|>"]; ok {
		list = append(list, added{text: "<|endoftext|>", special: true})
	}
	return b.pack(list)
}
