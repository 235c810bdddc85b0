package terminal

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
)

// TestEditor types into the editor: editing keys, Ctrl-C, history, the end.
func TestEditor(t *testing.T) {
	var out bytes.Buffer
	k := &keys{strings.NewReader("helo\x1b[Dl\r" + "wrong\x03right\r" + "\x1b[A\x1b[A\r" + "\x04")}
	e := NewTerminal(stream{k, &out}, "> ")
	for _, want := range []string{"hello", "right", "hello"} {
		if line, err := e.ReadLine(); err != nil || line != want {
			t.Errorf("%q, %v; want %q", line, err, want)
		}
	}
	if line, err := e.ReadLine(); err != io.EOF || line != "" {
		t.Errorf("%q, %v at the end", line, err)
	}
	if !strings.Contains(out.String(), "> ") {
		t.Error("no prompt")
	}
}

// TestOpenFile checks that a file is no terminal.
func TestOpenFile(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "x")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if Open(f, f) != nil {
		t.Error("a file is a terminal")
	}
}
