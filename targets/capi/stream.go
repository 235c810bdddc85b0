package capi

import (
	"runtime"
	"sync/atomic"

	"github.com/tfgen/tfgen/runtime/generate"
)

// piece is what a stream hands over.
type piece struct {
	text    string
	token   int32
	logprob float64
	top     []generate.LogProb
}

// stream is a generation on a goroutine of its own, whose pieces the caller fetches. It holds its session.
type stream struct {
	session *session
	pieces  chan piece
	quit    chan struct{} // closed when the caller wants no more
	stats   generate.Stats
	err     error // of the generation; valid when pieces is closed
	busy    atomic.Bool
	text    lent
	last    piece
}

// lent is text in memory that C may read until the next text.
type lent struct {
	bytes []byte
	pin   runtime.Pinner
}

// set replaces the text.
func (l *lent) set(text string) {
	if len(text) > cap(l.bytes) {
		l.free()
		l.bytes = make([]byte, 0, 2*len(text)+64)
		l.pin.Pin(&l.bytes[:1][0])
	}
	l.bytes = append(l.bytes[:0], text...)
}

// free lets go of the memory.
func (l *lent) free() { l.pin.Unpin(); l.bytes = nil }

// openStream starts a generation. The options' Stats are the stream's.
func openStream(s *session, p prompt, o generate.Options) (*stream, error) {
	c, err := s.begin(0, 0)
	if err != nil {
		return nil, err
	}
	st := &stream{session: s, pieces: make(chan piece), quit: make(chan struct{})}
	o.Stats = &st.stats
	go st.run(c, p, o)
	return st, nil
}

// run generates until the end or until nobody wants more.
func (st *stream) run(c *call, p prompt, o generate.Options) {
	defer close(st.pieces)
	defer func() {
		if r := recover(); r != nil {
			st.err = panicked(r)
		}
	}()
	st.err = st.session.generate(c, p, o, func(p piece) bool {
		select {
		case st.pieces <- p:
			return true
		case <-st.quit:
			return false
		}
	})
}

// next waits for a piece; ok is false at the end.
func (st *stream) next() (p piece, ok bool, err error) {
	if !st.busy.CompareAndSwap(false, true) {
		return p, false, errBusy
	}
	defer st.busy.Store(false)
	if p, ok = <-st.pieces; !ok {
		return p, false, st.err
	}
	st.text.set(p.text)
	st.last = p
	return p, true, nil
}

// closeStream ends the generation of a stream and gives its session back.
func closeStream(h uintptr) error {
	st, err := find[*stream](h)
	if err != nil {
		return err
	}
	if !st.busy.CompareAndSwap(false, true) {
		return errBusy
	}
	if _, err := withdraw[*stream](h); err != nil {
		return err
	}
	close(st.quit)
	st.session.cancel()
	for range st.pieces { // until the goroutine has ended
	}
	st.session.end()
	st.text.free()
	return nil
}
