package template

import (
	"os"
	"path/filepath"
	"testing"
)

// TestPublishedTemplates renders every conversation through every published template, and the small templates.
func TestPublishedTemplates(t *testing.T) {
	dir := filepath.Join(os.Getenv("TFGEN_SHARED"), "golden", "templates")
	if os.Getenv("TFGEN_SHARED") == "" {
		t.Skip("TFGEN_SHARED is not set: published templates are not part of the project")
	}
	for _, name := range []string{"jinja.jsonl.gz", "cases.jsonl.gz"} {
		r, err := Verify(filepath.Join(dir, name), nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d of %d cases, %d of %d templates", name, r.Passed, r.Cases, r.Whole, r.Templates)
		for i, f := range r.Failures {
			if i < 20 {
				t.Error(f.Error())
			}
		}
	}
}
