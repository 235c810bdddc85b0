package main

import (
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/ir"
)

func TestBackendNamesTheOperationThatItLacks(t *testing.T) {
	g := &ir.Graph{Ops: []*ir.Op{{Kind: "add"}, {Kind: "linear", Pos: ir.Pos{File: "specs/x.yaml", Line: 12}}}}
	b := &backend{name: "abacus", operations: func() []string { return []string{"add", "mul"} }}
	err := b.check(g)
	if err == nil || !strings.Contains(err.Error(), "specs/x.yaml:12: the abacus backend has no lowering for the operation linear; it has add, mul") {
		t.Errorf("the error is %v", err)
	}
	if err := goBackend.check(g); err != nil {
		t.Error(err)
	}
}

func TestTargetsAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range targets {
		if seen[row.name] || row.summary == "" || row.noun == "" || row.mark == "" || row.backend == nil || row.weights == nil || row.files == nil {
			t.Errorf("the row of target %q is not complete or stands twice", row.name)
		}
		seen[row.name] = true
	}
}
