package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/pmezard/go-difflib/difflib"
)

const diffHelp = `usage: tfgen diff [--stat] OLD NEW

Shows what changed between two generated packages: files added and removed, and a unified diff of Go and assembly. The
exit status is 1 if anything differs.

Examples:

  tfgen build DIR -o /tmp/now && tfgen diff internal/model /tmp/now
`

// errDifferent is returned when two packages differ.
var errDifferent = errors.New("the packages differ")

// runDiff is the diff command.
func runDiff(_ context.Context, args []string, stdout, stderr io.Writer) error {
	f := newFlags("diff", diffHelp, stderr)
	stat := f.Bool("stat", false, "name the files only")
	rest, err := parseFlags(f, args)
	if err != nil {
		return err
	}
	if len(rest) != 2 {
		f.Usage()
		return errUsage
	}
	old, err := tree(rest[0])
	if err != nil {
		return err
	}
	now, err := tree(rest[1])
	if err != nil {
		return err
	}
	names := map[string]bool{}
	for name := range old {
		names[name] = true
	}
	for name := range now {
		names[name] = true
	}
	different := false
	for _, name := range slices.Sorted(maps.Keys(names)) {
		changed, err := diffFile(stdout, name, old[name], now[name], *stat)
		if err != nil {
			return err
		}
		different = different || changed
	}
	if different {
		return errDifferent
	}
	return nil
}

// tree maps the files below a directory to their paths.
func tree(dir string) (map[string]string, error) {
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		files[filepath.ToSlash(rel)] = path
		return err
	})
	return files, err
}

// diffFile prints how one file changed; a path is "" where the file is not there.
func diffFile(w io.Writer, name, old, now string, stat bool) (changed bool, err error) {
	switch {
	case old == "":
		fmt.Fprintln(w, "added  ", name)
		return true, nil
	case now == "":
		fmt.Fprintln(w, "removed", name)
		return true, nil
	}
	a, err := digestFile(old)
	if err != nil {
		return false, err
	}
	b, err := digestFile(now)
	if err != nil || a == b {
		return false, err
	}
	fmt.Fprintln(w, "changed", name)
	if ext := filepath.Ext(name); stat || ext != ".go" && ext != ".s" && ext != ".mod" {
		return true, nil
	}
	x, err := os.ReadFile(old)
	if err != nil {
		return true, err
	}
	y, err := os.ReadFile(now)
	if err != nil {
		return true, err
	}
	return true, difflib.WriteUnifiedDiff(w, difflib.UnifiedDiff{
		A: difflib.SplitLines(string(x)), B: difflib.SplitLines(string(y)), FromFile: old, ToFile: now, Context: 3,
	})
}

func digestFile(path string) (sum [32]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return [32]byte(h.Sum(nil)), err
}
