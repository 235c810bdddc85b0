package main

import (
	"path/filepath"
	"testing"
)

// TestTemplatesAreOurs: a template that is compiled now must not stay behind as a file, another file of the user's must.
func TestTemplatesAreOurs(t *testing.T) {
	for name, want := range map[string]bool{
		"chat_template.jinja": true, "chat_template_2.jinja": true, "tokenizer.bin": true, "own.jinja": false, "notes.txt": false,
		filepath.Join("cmd", "chat_template.jinja"): false,
	} {
		if got := generated(filepath.Join(t.TempDir(), name), name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
