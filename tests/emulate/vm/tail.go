package main

import (
	"io"
	"os"
	"strings"
)

// tail copies a growing file. When mark is set, the text between mark and the next line feed is the status and
// nothing from mark on is copied.
type tail struct {
	name   string
	to     io.Writer
	mark   string
	done   int64  // bytes read
	held   string // text that may be the beginning of mark
	status string
}

// copy passes on what has come since the last call; all says that nothing more will come.
func (t *tail) copy(all bool) error {
	f, err := os.Open(t.name)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Seek(t.done, io.SeekStart); err != nil {
		return err
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	t.done += int64(len(data))
	text, held := t.split(t.held+string(data), all)
	t.held = held
	_, err = io.WriteString(t.to, text)
	return err
}

// split returns the text to print now and the text to keep.
func (t *tail) split(text string, all bool) (string, string) {
	if t.mark == "" || t.status != "" {
		return text, ""
	}
	if before, after, ok := strings.Cut(text, t.mark); ok {
		if status, _, ok := strings.Cut(after, "\n"); ok {
			t.status = status
			return before, ""
		}
		return before, text[len(before):]
	}
	if all {
		return text, ""
	}
	for n := min(len(text), len(t.mark)-1); n > 0; n-- {
		if strings.HasPrefix(t.mark, text[len(text)-n:]) {
			return text[:len(text)-n], text[len(text)-n:]
		}
	}
	return text, ""
}
