package check

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// quoted is a piece of Go in the documentation that says which file it stands in.
var quoted = regexp.MustCompile("(?s)In ([a-z0-9_/]+\\.go):\n\n```go\n(.*?)```")

// TestDocsQuoteTheCode compares the code that docs/ quotes with the files that it names.
func TestDocsQuoteTheCode(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal(err, "no documentation")
	}
	found := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range quoted.FindAllStringSubmatch(string(text), -1) {
			found++
			code, err := os.ReadFile(filepath.Join("../..", m[1]))
			if err != nil {
				t.Errorf("%s quotes %v", page, err)
			} else if !strings.Contains(string(code), m[2]) {
				t.Errorf("%s quotes of %s what does not stand there:\n%s", page, m[1], m[2])
			}
		}
	}
	if found < 8 {
		t.Errorf("only %d quotations found", found)
	}
}

// TestDocsLinksExist follows the links between the pages of docs/ and the README.
func TestDocsLinksExist(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	pages, _ := filepath.Glob("../../docs/*.md")
	for _, page := range append(pages, "../../README.md", "../../RATIONALE.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s links to %s, which does not exist", page, m[1])
			}
		}
	}
}
