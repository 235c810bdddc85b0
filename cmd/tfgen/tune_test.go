package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/asm/tuning"
)

// TestBuildWithTable builds the demo model with a table: the same files each time, other kernels and calls than with the rules,
// and nothing else is different.
func TestBuildWithTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table.json")
	table := &tuning.Table{Version: tuning.Version, Machine: "none", Rows: []tuning.Row{
		{Level: "avx2", Format: "bf16", Blocking: tuning.Blocking{Rows: 4, Tiles: 1, Prefetch: 512}}, {Format: "bf16", Sweep: tuning.Sweep{Rows: 48, Tiles: 8}},
	}}
	if err := os.WriteFile(path, table.Format(), 0o644); err != nil {
		t.Fatal(err)
	}
	emit := func(table string) map[string]string {
		o := &buildOptions{model: "../../tests/demo-model", tuning: table}
		o.Weights = "bf16"
		o.defaults()
		b, closeModel, err := prepare(o, goBackend)
		if err != nil {
			t.Fatal(err)
		}
		defer closeModel()
		files, err := b.Emit()
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		for _, f := range files {
			all[f.Name] = string(f.Data)
		}
		return all
	}
	rules, standard, first, second := emit(""), emit(tuning.Default), emit(path), emit(path)
	for name, text := range rules {
		differs := name == "kernels_amd64.s" || name == "ops.go"
		if first[name] != second[name] || standard[name] != text {
			t.Errorf("%s: two builds with the same table differ", name)
		}
		if (first[name] != text) != differs {
			t.Errorf("%s: the table changes it: %v, expected %v", name, first[name] != text, differs)
		}
	}
}

// TestTuneErrors checks wrong flags, tables and files.
func TestTuneErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	bad, other := write("bad.json", "{"), write("other.json", string((&tuning.Table{Version: 1, Machine: "another machine"}).Format()))
	for want, args := range map[string][]string{
		"usage":                   {"tune"},
		"expected FORMAT":         {"tune", "--shapes", "f32"},
		"2 to 4096 rows":          {"tune", "--shapes", "f32:16x16", "--rows", "1"},
		"no kernels for level":    {"tune", "--shapes", "f32:16x16", "--level", "avx9", "-o", filepath.Join(dir, "new.json")},
		"names a file that is no": {"tune", "--shapes", "f32:16x16", "-o", bad},
		"another machine":         {"tune", "--shapes", "f32:16x16", "-o", other},
		"no tuning table is":      {"build", "../../tests/demo-model", "--tuning", "nobody", "-o", filepath.Join(dir, "x")},
		"unexpected EOF":          {"build", "../../tests/demo-model", "--tuning", bad, "-o", filepath.Join(dir, "x")},
	} {
		var out, log bytes.Buffer
		if code := run(t.Context(), args, &out, &log); code == 0 || !strings.Contains(log.String(), want) {
			t.Errorf("%v: exit %d, %s; expected %q", args, code, log.String(), want)
		}
	}
}

// TestTune tunes a product, into a file that has a row for another one.
func TestTune(t *testing.T) {
	if os.Getenv("TFGEN_SHARED") == "" {
		t.Skip("TFGEN_SHARED is not set; package tune has a faster test")
	}
	path := filepath.Join(t.TempDir(), "table.json")
	old := &tuning.Table{Version: tuning.Version, Machine: "this", Rows: []tuning.Row{{Format: "f32", K: 9, Sweep: tuning.Sweep{Rows: 8}}}}
	if err := os.WriteFile(path, old.Format(), 0o644); err != nil {
		t.Fatal(err)
	}
	var out, log bytes.Buffer
	args := []string{"tune", "--shapes", "f32:48x32", "--machine", "this", "--rounds", "1", "--sample", "1", "-o", path, "--json", "--no-progress"}
	if code := run(t.Context(), args, &out, &log); code != 0 {
		t.Fatalf("exit %d: %s", code, log.String())
	}
	var r tuneReport
	if err := json.Unmarshal(out.Bytes(), &r); err != nil || r.Machine != "this" || len(r.Findings) < 5 || len(r.Shapes) != 1 {
		t.Errorf("%v: %+v", err, r)
	}
	table, err := loadTuning(path)
	if err != nil || table.Sweep("f32", 9, 1).Rows != 8 || len(table.Rows) != 1+len(r.Table) {
		t.Errorf("%v: %+v", err, table)
	}
}
