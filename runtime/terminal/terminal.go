// Package terminal reads lines from a terminal with editing and history. The
// editor is that of golang.org/x/term, copied so that programs need no other
// module; its licence lies beside it.
package terminal

import (
	"io"
	"os"
)

// Line reads lines from a terminal.
type Line struct {
	in     *os.File
	editor *Terminal
	keys   *keys
}

// Open returns a Line for the terminal that in and out are, nil if they are none.
func Open(in, out *os.File) *Line {
	if !isTerminal(in.Fd()) || !isTerminal(out.Fd()) {
		return nil
	}
	k := &keys{in: in}
	return &Line{in: in, editor: NewTerminal(stream{k, out}, ""), keys: k}
}

// stream joins the two directions of a terminal.
type stream struct {
	io.Reader
	io.Writer
}

// keys reads the keyboard. Ctrl-C deletes the line instead of ending the input.
type keys struct{ in io.Reader }

// Control characters: what Ctrl-C sends, and what deletes the line.
const (
	interrupt  = 3
	deleteLine = 21
)

// Read reads keys.
func (k *keys) Read(b []byte) (int, error) {
	n, err := k.in.Read(b)
	for i, c := range b[:n] {
		if c == interrupt {
			b[i] = deleteLine
		}
	}
	return n, err
}

// Read shows the prompt and returns a line. The terminal is in raw mode only
// meanwhile. The error is io.EOF after Ctrl-D.
func (l *Line) Read(prompt string) (line string, err error) {
	old, err := makeRaw(l.in.Fd())
	if err != nil {
		return "", err
	}
	defer func() {
		if e := restore(l.in.Fd(), old); err == nil {
			err = e
		}
	}()
	if width, height, ok := size(l.in.Fd()); ok {
		if err := l.editor.SetSize(width, height); err != nil {
			return "", err
		}
	}
	l.editor.SetPrompt(prompt)
	line, err = l.editor.ReadLine()
	if err == ErrPasteIndicator {
		err = nil
	}
	return line, err
}
