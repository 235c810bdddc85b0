package main

import (
	"bytes"
	"go/format"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/file"
)

// TestVendorKeepsFilesFormatted checks that files whose imports are changed stay as gofmt has them.
func TestVendorKeepsFilesFormatted(t *testing.T) {
	source := "package main\n\nimport (\n\t\"iter\"\n\n\t\"github.com/tfgen/tfgen/runtime/near\"\n\t\"tfgen.local/a\"\n)\n\nvar _ = a.B\nvar _ iter.Seq[int]\nvar _ = near.Name\n"
	files, err := vendor([]file.File{{Name: "cmd/a/main.go", Data: []byte(source)}}, "zz.local/a", "internal/x")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name, ".go") {
			continue
		}
		formatted, err := format.Source(f.Data)
		if err != nil || !bytes.Equal(formatted, f.Data) {
			t.Errorf("%s is not formatted: %v\n%s", f.Name, err, f.Data)
		}
	}
	if !bytes.Contains(files[0].Data, []byte("\t\"tfgen.local/a\"\n\t\"zz.local/a/internal/x/near\"\n")) || len(files) < 2 {
		t.Errorf("%d files, the first is\n%s", len(files), files[0].Data)
	}
}
