package template

import (
	"path/filepath"
	"testing"
)

// The templates in testdata are the project's own; what they print was recorded with transformers 5.23.0 and jinja2 3.1.6.

func TestRecorded(t *testing.T) {
	for _, name := range []string{"jinja.jsonl", "cases.jsonl"} {
		r, err := Verify(filepath.Join("testdata", name), nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Cases < 30 {
			t.Errorf("%s has %d cases", name, r.Cases)
		}
		for _, f := range r.Failures {
			t.Error(f.Error())
		}
	}
}

// TestCompiledRecorded compiles the templates to Go: the program prints the same.
func TestCompiledRecorded(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	c, err := openCorpus("testdata")
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]string{}
	for id, p := range c.templates {
		sources[id] = p.Template
	}
	small := filepath.Join("testdata", "jinja.jsonl")
	for _, s := range smallTemplates(t, small) {
		sources[s] = s
	}
	abs, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	runCompiled(t, sources, filepath.Join(abs, "jinja.jsonl"), filepath.Join(abs, "cases.jsonl"))
}

// TestDifferenceIsShown makes sure that a wrong result is noticed and reported.
func TestDifferenceIsShown(t *testing.T) {
	v := &verifier{report: &Report{}, failed: map[string]bool{}}
	want := "größe"
	v.judge(3, "case", &row{Template: "t", Expected: &want}, result("gröse"), nil)
	if v.report.Failed != 1 || v.report.First == nil {
		t.Fatalf("%+v", v.report)
	}
	if got := v.report.First.Error(); got != "line 3: case: differs at byte 4\n  expected …\"größe\"\n  got      …\"gröse\"" {
		t.Errorf("%s", got)
	}
}
