// Package python builds a wheel as a user does and runs its test suite in a fresh virtual environment.
package python

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// command runs a program; a failure fails the test.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// build builds the Python package of a model and returns its directory.
func build(t *testing.T, model, name string, flags ...string) string {
	t.Helper()
	for _, tool := range []string{"gcc", "make"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	dir := filepath.Join(t.TempDir(), name)
	args := append([]string{"run", root + "/cmd/tfgen", "build", model, "--target", "python", "-o", dir, "--package", name, "--no-progress"}, flags...)
	command(t, "go", args...)
	return dir
}

// wheelOf is the wheel in a bundle.
func wheelOf(t *testing.T, dir string) string {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(dir, "dist", "*.whl"))
	if len(found) != 1 {
		t.Fatalf("wheels: %v", found)
	}
	return found[0]
}

func TestWheelIsComplete(t *testing.T) {
	dir := build(t, root+"/tests/demo-model", "gocode", "--weights", "bf16")
	wheel := wheelOf(t, dir)
	if name := filepath.Base(wheel); !strings.HasPrefix(name, "gocode-1.0.0-py3-none-manylinux_2_17_") {
		t.Errorf("the wheel is called %s", name)
	}
	asksForOldSystems(t, filepath.Join(dir, "gocode", "libgocode.so"))
	r, err := zip.OpenReader(wheel)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	files := map[string]uint64{}
	for _, f := range r.File {
		files[f.Name] = f.UncompressedSize64
	}
	for _, name := range []string{"__init__.py", "_build.py", "_errors.py", "_library.py", "_model.py", "_session.py", "_tokenizer.py", "py.typed", "libgocode.so", "gocode.weights"} {
		if _, ok := files["gocode/"+name]; !ok {
			t.Errorf("the wheel has no gocode/%s", name)
		}
	}
	record, err := r.Open("gocode-1.0.0.dist-info/RECORD")
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if _, err := text.ReadFrom(record); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(text.String(), "\n"); lines != len(files) {
		t.Errorf("RECORD has %d lines for %d files", lines, len(files))
	}
}

// contents are the names of the files in a wheel.
func contents(t *testing.T, wheel string) (names []string) {
	t.Helper()
	r, err := zip.OpenReader(wheel)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, f := range r.File {
		names = append(names, f.Name)
	}
	return names
}

// asksForOldSystems checks what a library asks for: no symbol of a glibc after 2.17, and nothing but glibc.
func asksForOldSystems(t *testing.T, library string) {
	t.Helper()
	f, err := elf.Open(library)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	symbols, err := f.ImportedSymbols()
	if err != nil || len(symbols) < 20 {
		t.Fatalf("%d imported symbols: %v", len(symbols), err)
	}
	for _, s := range symbols {
		var minor, patch int
		if n, _ := fmt.Sscanf(s.Version, "GLIBC_2.%d.%d", &minor, &patch); n == 0 && s.Version != "" || minor > 17 {
			t.Errorf("the library asks for %s of %s %s", s.Name, s.Library, s.Version)
		}
	}
	needs, err := f.DynamicVersionNeeds()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range needs {
		if n.Name != "libc.so.6" && n.Name != "libpthread.so.0" {
			t.Errorf("the library needs %s", n.Name)
		}
		for _, v := range n.Needs {
			if v.Dep == "GLIBC_ABI_DT_RELR" {
				t.Error("the library has packed relocations, which need glibc 2.36")
			}
		}
	}
}

// environment makes a virtual environment with what the suite needs.
func environment(t *testing.T) (bin string) {
	t.Helper()
	if os.Getenv("TFGEN_ALL") == "" {
		t.Skip("TFGEN_ALL is not set: run make test-targets")
	}
	dir := filepath.Join(t.TempDir(), "venv")
	if out, err := exec.Command("python3", "-m", "venv", dir).CombinedOutput(); err != nil {
		t.Skipf("python3 -m venv: %v\n%s", err, out)
	}
	bin = filepath.Join(dir, "bin")
	if out, err := exec.Command(filepath.Join(bin, "pip"), "-q", "install", "numpy", "pytest", "mypy").CombinedOutput(); err != nil {
		t.Skipf("numpy, pytest and mypy cannot be installed: %v\n%s", err, out)
	}
	return bin
}

// TestSuite installs the wheel and runs the tests that ship with the package, among them the doctest of its README.
func TestSuite(t *testing.T) {
	bin := environment(t)
	cases := []suiteCase{
		{name: "gocode", model: root + "/tests/demo-model"},
		{name: "inside", model: root + "/tests/demo-model", flags: []string{"--weights", "bf16", "--embed"}},
		{name: "t5", model: root + "/gen/golden/testdata/t5"},
		{name: "mamba", model: root + "/gen/golden/testdata/mamba"},
	}
	if dir := os.Getenv("TFGEN_MODELS"); dir != "" {
		cases = append(cases, suiteCase{name: "minilm", model: filepath.Join(dir, "all-minilm-l6-v2")})
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, err := os.Stat(c.model); err != nil {
				t.Skip(err)
			}
			dir := build(t, c.model, c.name, c.flags...)
			wheel := wheelOf(t, dir)
			if embeds := slices.Contains(c.flags, "--embed"); embeds == slices.Contains(contents(t, wheel), c.name+"/"+c.name+".weights") {
				t.Errorf("--embed is %t; the wheel says otherwise", embeds)
			}
			command(t, filepath.Join(bin, "pip"), "-q", "install", "--no-deps", wheel)
			t.Log(command(t, filepath.Join(bin, "pytest"), "-q", "-p", "no:cacheprovider", "--import-mode=importlib", filepath.Join(dir, "tests")))
			command(t, filepath.Join(bin, "mypy"), "--strict", "--cache-dir="+os.DevNull, filepath.Join(dir, c.name))
		})
	}
}

// suiteCase is a package whose own suite runs.
type suiteCase struct {
	name, model string
	flags       []string
}
