package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
)

// feed gives a command its standard input.
func feed(t *testing.T, text string) {
	old := stdin
	stdin = io.MultiReader(strings.NewReader(text[:len(text)/2]), strings.NewReader(text[len(text)/2:]))
	t.Cleanup(func() { stdin = old })
}

// TestTokenizerStreams encodes a long standard input, which goes through in parts, and decodes it again.
func TestTokenizerStreams(t *testing.T) {
	file := filepath.Join(demo, "tokenizer.json")
	text := strings.Repeat("func (r *Reader) Read(p []byte) // é \"don't\"\n", 8000)
	feed(t, text)
	status, ids, log := execute(t, context.Background(), "tokenizer", "encode", file, "--special=false")
	if status != 0 {
		t.Fatal(status, log)
	}
	feed(t, text)
	status, list, log := execute(t, context.Background(), "tokenizer", "encode", file, "--special=false", "--json")
	var at struct {
		IDs     []int    `json:"ids"`
		Offsets [][2]int `json:"offsets"`
	}
	if err := json.Unmarshal([]byte(list), &at); status != 0 || err != nil {
		t.Fatal(status, err, log)
	}
	if got, want := strings.Fields(ids), strings.Fields(strings.Trim(fmt.Sprint(at.IDs), "[]")); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%d ids in parts, %d at once", len(got), len(want))
	}
	if last := at.Offsets[len(at.Offsets)-1]; last[1] != len(text) {
		t.Errorf("the last token ends at %d of %d", last[1], len(text))
	}
	feed(t, ids)
	if status, out, log := execute(t, context.Background(), "tokenizer", "decode", file); status != 0 || out != text+"\n" {
		t.Errorf("status %d, %d bytes of %d: %s", status, len(out), len(text)+1, log)
	}
}

func TestTokenizerCommandErrors(t *testing.T) {
	file := filepath.Join(demo, "tokenizer.json")
	for want, args := range map[string][]string{
		"is no id from 0":        {"decode", file, "999999"},
		"usage: tfgen tokenizer": {"encode"},
		"no strategy is called":  {"encode", file, "--strategy", "own", "a"},
		"no such file":           {"encode", file + ".absent", "a"},
	} {
		status, out, log := execute(t, context.Background(), append([]string{"tokenizer"}, args...)...)
		if status == 0 || !strings.Contains(out+log, want) {
			t.Errorf("%v: status %d, %q, expected %q", args, status, log, want)
		}
	}
}
