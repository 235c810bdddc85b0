package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// progress shows how far packing is: a bar on a terminal, else a line every few seconds.
type progress struct {
	mu       sync.Mutex
	w        io.Writer
	terminal bool
	begin    time.Time
	last     time.Time
	shown    bool
}

// newProgress returns nil, which shows nothing, if quiet.
func newProgress(w io.Writer, quiet bool) *progress {
	if quiet {
		return nil
	}
	p := &progress{w: w, begin: time.Now(), last: time.Now()}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

const barWidth = 30

// show reports that done of total bytes are packed, the last of the tensor called name.
func (p *progress) show(done, total int64, name string) {
	if p == nil {
		return
	}
	rate := float64(done) / 1e6 / time.Since(p.begin).Seconds()
	p.showStep("packing", float64(done)/float64(max(total, 1)), fmt.Sprintf("%.0f MB, %.0f MB/s, %s", float64(total)/1e6, rate, name))
}

// showStep reports what share of a longer work is done, and what is in work.
func (p *progress) showStep(verb string, share float64, what string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	every := 5 * time.Second
	if p.terminal {
		every = 100 * time.Millisecond
	}
	if time.Since(p.last) < every {
		return
	}
	p.last, p.shown = time.Now(), true
	if !p.terminal {
		fmt.Fprintf(p.w, "%s: %.0f %%, %s\n", verb, 100*share, what)
		return
	}
	n := int(share * barWidth)
	fmt.Fprintf(p.w, "\r%s [%s%s] %3.0f %%  %-52.52s", verb, strings.Repeat("#", n), strings.Repeat(" ", barWidth-n), 100*share, what)
}

// done removes the bar.
func (p *progress) done() {
	if p != nil && p.shown && p.terminal {
		fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", 110))
	}
}
