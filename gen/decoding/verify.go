// Package decoding compares runtime/sample and runtime/generate with recorded results of Hugging Face transformers.
package decoding

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/tfgen/tfgen/gen/generation"
)

// Report says what became of the records of a file.
type Report struct {
	File    string         `json:"file"`
	Passed  map[string]int `json:"passed"`            // by kind: processor class, "chain", "beam", …
	Failed  []string       `json:"failed,omitempty"`  // the first difference of each record that failed
	Skipped map[string]int `json:"skipped,omitempty"` // kinds that tfgen does not have
}

// errSkip is returned for a record of a kind that tfgen does not have.
var errSkip = errors.New("not supported")

// head is the first line of a file, which tells what kind of file it is.
type head struct {
	Vectors   map[string][]Values `json:"vectors"` // processors
	InputIDs  [][]int32           `json:"input_ids"`
	Vector    []Values            `json:"vector"` // chains
	IDs       json.RawMessage     `json:"ids"`
	Prompt    int                 `json:"prompt_length"`
	Model     string              `json:"model"` // decode
	EOS       generation.IDs      `json:"eos_token_id"`
	Tokenizer string              `json:"tokenizer"` // stop

	rows [][]int32 // IDs
}

// checker checks one record, or returns errSkip; kind is what it counts as.
type checker func(line []byte) (kind string, err error)

// Verify compares a file of recorded results with what tfgen computes. Its first line tells whether it has processors,
// chains of processors, decoded sequences or stop texts. Paths in the file are relative to it.
func Verify(path string) (Report, error) {
	r := Report{File: path, Passed: map[string]int{}, Skipped: map[string]int{}}
	var check checker
	err := lines(path, func(n int, line []byte) error {
		if check == nil {
			var first bool
			var err error
			if check, first, err = open(path, line); err != nil || first {
				return err
			}
		}
		kind, err := check(line)
		switch {
		case errors.Is(err, errSkip):
			r.Skipped[kind]++
		case err != nil:
			r.Failed = append(r.Failed, fmt.Sprintf("line %d: %s: %v", n, kind, err))
		default:
			r.Passed[kind]++
		}
		return nil
	})
	return r, err
}

// open returns the checker of a file by its first line, and whether that line is no record itself.
func open(path string, line []byte) (c checker, first bool, err error) {
	h := new(head)
	if err := json.Unmarshal(line, h); err != nil {
		return nil, false, err
	}
	switch {
	case h.Vectors != nil:
		return h.processor, true, nil
	case h.Vector != nil:
		return h.chain, true, json.Unmarshal(h.IDs, &h.rows)
	case h.Model != "":
		d, err := newDecoding(filepath.Join(filepath.Dir(path), h.Model), h.EOS)
		return d.check, true, err
	case h.Tokenizer != "":
		return newStops(filepath.Dir(path)).check, false, nil
	}
	return nil, false, errors.New("no file of processors, chains, sequences or stop texts: the first line has none of vectors, vector, model, tokenizer")
}

// String lists what passed and what failed.
func (r Report) String() string {
	text := r.File + ":"
	total := 0
	for _, kind := range slices.Sorted(maps.Keys(r.Passed)) {
		total += r.Passed[kind]
		text += fmt.Sprintf(" %s %d,", kind, r.Passed[kind])
	}
	text += fmt.Sprintf(" together %d equal, %d different", total, len(r.Failed))
	for _, kind := range slices.Sorted(maps.Keys(r.Skipped)) {
		text += fmt.Sprintf(", %d %s not supported", r.Skipped[kind], kind)
	}
	for _, f := range r.Failed {
		text += "\n  " + f
	}
	return text
}
