package check

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	specLines   = 80  // of a specification
	specColumns = 130 // of a line
)

var (
	year   = regexp.MustCompile(`\b(19|20)\d\d\b`)
	source = regexp.MustCompile(`\w/\w+[./]\w|\.py\b|section \d`)
)

// TestSpecsAreSummaries fails for a specification that is too long to be read as a summary, and for a file that does not say in
// its first lines which paper (or publication, with its year) and which reference code it follows.
func TestSpecsAreSummaries(t *testing.T) {
	for _, dir := range []string{"specs", "specs/lib"} {
		files, err := filepath.Glob(filepath.Join(root, dir, "*.yaml"))
		if err != nil || len(files) == 0 {
			t.Fatal(dir, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, problem := range specProblems(string(data), dir == "specs") {
				t.Errorf("%s: %s", file, problem)
			}
		}
	}
}

// specProblems lists what is wrong with the form of a specification, or of a file of the library.
func specProblems(text string, isSpec bool) []string {
	var problems []string
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if isSpec && len(lines) > specLines {
		problems = append(problems, "has more than 80 lines; a block that is shared or has a name is a macro, its weights and sizes are a part, of specs/lib")
	}
	for _, l := range lines {
		if utf8.RuneCountInString(l) > specColumns {
			problems = append(problems, "has a line of more than 130 characters: "+l)
		}
	}
	header := ""
	for _, l := range lines {
		comment, ok := strings.CutPrefix(l, "#")
		if !ok {
			break
		}
		header += comment
	}
	_, reference, named := strings.Cut(header, "Reference")
	switch {
	case header == "":
		problems = append(problems, "does not begin with a comment that says what it is")
	case isSpec && (!named || !source.MatchString(reference)):
		problems = append(problems, "the comment at its top has no \"Reference: file\"")
	case isSpec && !year.MatchString(header):
		problems = append(problems, "the comment at its top does not name a paper with its year")
	case !year.MatchString(header) && !source.MatchString(header):
		problems = append(problems, "the comment at its top names neither a paper with its year nor a reference file")
	}
	return problems
}

// TestSpecProblems holds the check itself.
func TestSpecProblems(t *testing.T) {
	const good = "# X (A 2020, arXiv:1): it. Reference: transformers models/x/modeling_x.py.\narch: x\n"
	for text, want := range map[string]string{
		good:                             "",
		good + strings.Repeat("a\n", 79): "more than 80 lines",
		good + strings.Repeat("a", 131):  "more than 130 characters",
		"arch: x\n":                      "does not begin with a comment",
		"# X (A 2020, arXiv:1): it.\n":   "Reference",
		"# X: it. Reference: transformers models/x/modeling_x.py.\n": "paper",
	} {
		got := strings.Join(specProblems(text, true), "; ")
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%q: %q, expected %q", text, got, want)
		}
	}
}
