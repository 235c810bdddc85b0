package spec

import (
	"os"
	"strings"
	"testing"
)

// TestReferenceIsFresh compares docs/spec-language.md with what the tables say.
func TestReferenceIsFresh(t *testing.T) {
	text, err := Reference()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/spec-language.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(string(page), "\n\n"+text) {
		t.Error("docs/spec-language.md is not what tfgen spec reference prints: run make reference")
	}
}

// TestReferenceIsComplete holds that everything which can be written has words.
func TestReferenceIsComplete(t *testing.T) {
	text, err := Reference()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text) {
		if strings.Contains(line, "| |") || strings.Contains(line, "|  |\n") && !strings.HasPrefix(line, "| `") {
			t.Errorf("something is not described: %s", line)
		}
	}
	for name, f := range functions {
		if !strings.HasPrefix(f.use, name+"(") || f.doc == "" {
			t.Errorf("the function %s is described as %q, %q", name, f.use, f.doc)
		}
	}
}
