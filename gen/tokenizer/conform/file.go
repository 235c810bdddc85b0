// Package conform compares tokenizers with recorded results of the Hugging Face tokenizers library: files of JSON
// lines, one for each text of a corpus, as `tfgen tokenizer verify` reads them.
package conform

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxFile bounds an expectation or corpus once it is unpacked.
const maxFile = 1 << 30

// readFile reads a file, unpacked if it is gzip.
func readFile(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil || !bytes.HasPrefix(b, []byte{0x1f, 0x8b}) {
		return b, err
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	out, err := io.ReadAll(io.LimitReader(z, maxFile+1))
	if err != nil || len(out) > maxFile {
		return nil, fmt.Errorf("%s: more than %d bytes or damaged (%v)", path, maxFile, err)
	}
	return out, nil
}

// header is the first line of a file.
type header struct {
	Family string `json:"family"`
	File   string `json:"file"`
	Lines  any    `json:"lines"` // a number, or the list of corpus lines that components are compared on
	SHA    string `json:"corpus_sha256"`
}

// expectation is an open file: its header and what follows.
type expectation struct {
	header
	path string
	body *bufio.Reader
}

func open(path string) (*expectation, error) {
	b, err := readFile(path)
	if err != nil {
		return nil, err
	}
	e := &expectation{path: path, body: bufio.NewReader(bytes.NewReader(b))}
	line, err := e.body.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("%s: no lines of expectations", path)
	}
	if err := json.Unmarshal(line, &e.header); err != nil {
		return nil, fmt.Errorf("%s:1: %w", path, err)
	}
	return e, nil
}

// corpus holds the texts that expectations refer to by number, and the long ones by name.
type corpus struct {
	texts map[int]string
	long  map[string]string
}

// texts finds and reads the corpus: the given files, or corpus.jsonl and long.jsonl.gz beside the expectations or one
// folder up.
func (e *expectation) texts(o *Options) (*corpus, error) {
	c := &corpus{texts: map[int]string{}, long: map[string]string{}}
	path, err := e.find(o.Corpus, "corpus.jsonl", "corpus.jsonl.gz")
	if err != nil {
		return nil, err
	}
	b, err := readFile(path)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(b); e.SHA != "" && !o.AnyCorpus && hex.EncodeToString(sum[:]) != e.SHA {
		return nil, fmt.Errorf("%s is not the corpus that %s was recorded on (sha256 %s)", path, e.path, e.SHA)
	}
	err = eachLine(path, b, func(i int, l corpusLine) {
		if l.I != nil {
			i = *l.I
		}
		c.texts[i] = l.Text
	})
	if err != nil {
		return nil, err
	}
	if path, err = e.find(o.Long, "long.jsonl.gz", "long.jsonl"); errors.Is(err, fs.ErrNotExist) && o.Long == "" {
		return c, nil // an error only where a line asks for one of them
	} else if err != nil {
		return nil, err
	}
	if b, err = readFile(path); err != nil {
		return nil, err
	}
	return c, eachLine(path, b, func(_ int, l corpusLine) { c.long[l.Cat] = l.Text })
}

type corpusLine struct {
	I    *int   `json:"i"`
	Cat  string `json:"cat"`
	Text string `json:"text"`
}

func eachLine(path string, b []byte, f func(i int, l corpusLine)) error {
	d := json.NewDecoder(bytes.NewReader(b))
	for i := 0; d.More(); i++ {
		var l corpusLine
		if err := d.Decode(&l); err != nil {
			return fmt.Errorf("%s:%d: %w", path, i+1, err)
		}
		f(i, l)
	}
	return nil
}

func (e *expectation) find(given string, names ...string) (string, error) {
	if given != "" {
		return given, nil
	}
	dir := filepath.Dir(e.path)
	for _, d := range []string{dir, filepath.Dir(dir)} {
		for _, name := range names {
			if p := filepath.Join(d, name); exists(p) {
				return p, nil
			}
		}
	}
	return "", fmt.Errorf("%s is neither beside %s nor one folder up: %w", names[0], e.path, fs.ErrNotExist)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// tokenizerFile returns the file that the header names: beside the expectations or one folder up, else among the
// published models.
func (e *expectation) tokenizerFile(o *Options) (string, error) {
	if o.Tokenizer != "" {
		return o.Tokenizer, nil
	}
	if e.File == "" || !filepath.IsLocal(e.File) {
		return "", fmt.Errorf("%s names no tokenizer file: give it with --tokenizer", e.path)
	}
	dir := filepath.Dir(e.path)
	for _, d := range []string{dir, filepath.Dir(dir), o.Models} {
		if p := filepath.Join(d, e.File); d != "" && exists(p) {
			return p, nil
		}
	}
	return "", &MissingError{e.File}
}

// MissingError says that the tokenizer an expectation is for is not here.
type MissingError struct{ File string }

func (e *MissingError) Error() string {
	return fmt.Sprintf("the tokenizer %s is neither near the expectations nor under TFGEN_MODELS; give it with --tokenizer", e.File)
}
