package check

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestGeneratedCodeIsFilled reads the checked-in package: Go's tools know each file as generated, and no placeholder of
// an emitter is left in one.
func TestGeneratedCodeIsFilled(t *testing.T) {
	files, err := filepath.Glob("../../generated/gocode/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no generated files: %v", err)
	}
	placeholder := regexp.MustCompile(`\$[a-z]\w*`)
	for _, path := range files {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, src, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			t.Fatal(err)
		}
		if !ast.IsGenerated(f) {
			t.Errorf("%s does not begin as generated code does", path)
		}
		if at := placeholder.FindIndex(src); at != nil {
			t.Errorf("%s:%d: %s was not replaced", path, 1+bytes.Count(src[:at[0]], []byte("\n")), src[at[0]:at[1]])
		}
	}
}
