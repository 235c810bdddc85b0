package main

import (
	"bytes"
	"os"
	"testing"
)

func TestFresh(t *testing.T) {
	want, err := Source()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../../runtime/tokenizer/formtables.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("runtime/tokenizer/formtables.go is stale: go generate ./gen/tokenizer")
	}
}
