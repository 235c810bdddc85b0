package template

import (
	"encoding/json"
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCompiledPublishedTemplates compiles all published and all small templates to Go, and compares what the program prints.
func TestCompiledPublishedTemplates(t *testing.T) {
	if os.Getenv("TFGEN_SHARED") == "" {
		t.Skip("TFGEN_SHARED is not set: published templates are not part of the project")
	}
	dir := filepath.Join(os.Getenv("TFGEN_SHARED"), "golden", "templates")
	sources := map[string]string{}
	c, err := openCorpus(dir)
	if err != nil {
		t.Fatal(err)
	}
	for id, p := range c.templates {
		sources[id] = p.Template
	}
	for _, s := range smallTemplates(t, filepath.Join(dir, "jinja.jsonl.gz")) {
		sources[s] = s
	}
	runCompiled(t, sources, filepath.Join(dir, "jinja.jsonl.gz"), filepath.Join(dir, "cases.jsonl.gz"))
}

// runCompiled builds a program of compiled templates and lets it verify files of cases.
func runCompiled(t *testing.T, sources map[string]string, files ...string) {
	t.Helper()
	var funcs, table strings.Builder
	n, all := 0, 0
	for id, src := range sources {
		all++
		if code, filters := Compile(src); code != "" {
			fmt.Fprintf(&funcs, "func f%d(t *template.State) {\n%s}\n\n", n, code)
			fmt.Fprintf(&table, "%q: template.Compiled(%s),\n", id, strings.Join(append([]string{fmt.Sprint("f", n)}, filters...), ", "))
			n++
		}
	}
	t.Logf("%d of %d templates are compiled", n, all)
	text := strings.NewReplacer("$table", table.String(), "$funcs", funcs.String()).Replace(compiledProgram)
	data, err := format.Source([]byte(text))
	if err != nil {
		t.Fatalf("%v", err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	work, err := os.MkdirTemp(root, "compiled-test-") // inside the module, for its imports
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(work)
	if err := os.WriteFile(filepath.Join(work, "main.go"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", append([]string{"run", "."}, files...)...)
	cmd.Dir = work
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}

const compiledProgram = `package main

import (
	"fmt"
	"os"

	verify "github.com/tfgen/tfgen/gen/template"
	"github.com/tfgen/tfgen/runtime/template"
)

var compiled = map[string]*template.Template{
$table}

func main() {
	for _, path := range os.Args[1:] {
		r, err := verify.Verify(path, func(id, src string) (*template.Template, error) {
			if f := compiled[id]; f != nil {
				return f, nil
			}
			return template.Parse(src)
		})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Printf("%s: %d of %d cases\n", path, r.Passed, r.Cases)
		for _, f := range r.Failures[:min(len(r.Failures), 20)] {
			fmt.Println(f.Error())
		}
		if r.Failed > 0 {
			defer os.Exit(1)
		}
	}
}

$funcs`

func smallTemplates(t *testing.T, path string) (out []string) {
	t.Helper()
	err := eachLine(path, func(_ int, line []byte) error {
		var r row
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		if r.Context == nil {
			out = append(out, r.Template)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
