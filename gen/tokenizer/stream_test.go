package tokenizer

import (
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tfgen/tfgen/runtime/tokenizer"
	"github.com/tfgen/tfgen/tests/testfile"
)

// plainStream is the streaming decoder of the Hugging Face library as it is written there: all that is held back is decoded
// again with each token.
type plainStream struct {
	tok    *tokenizer.Tokenizer
	ids    []int32
	prefix string
	done   int
}

func (s *plainStream) next(id int32) string {
	if s.prefix == "" && len(s.ids) > 0 {
		if text := s.tok.Decode(s.ids, false); !strings.HasSuffix(text, "\ufffd") {
			s.prefix, s.done = text, len(s.ids)
		}
	}
	s.ids = append(s.ids, id)
	text := s.tok.Decode(s.ids, false)
	if len(text) <= len(s.prefix) || strings.HasSuffix(text, "\ufffd") || !strings.HasPrefix(text, s.prefix) {
		return ""
	}
	piece := text[len(s.prefix):]
	rest := len(s.ids) - s.done
	s.ids = slices.Clone(s.ids[s.done:])
	s.prefix = s.tok.Decode(s.ids, false)
	s.done = rest
	return piece
}

// broken returns ids whose texts are bytes of no character, U+FFFD or parts of characters, and some others.
func broken(tok *tokenizer.Tokenizer) (ids []int32) {
	for id := range int32(tok.VocabSize()) {
		text := tok.Decode([]int32{id}, false)
		if strings.Contains(text, "\ufffd") || id%37 == 0 && text != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// TestStreamOfBrokenText compares the stream with the plain one on long runs of broken text.
func TestStreamOfBrokenText(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.json.gz")
	more, _ := filepath.Glob("conform/testdata/*.json.gz")
	long := 0
	for _, f := range append(files, more...) {
		tok := loaded(t, testfile.Bytes(t, f))
		ids := broken(tok)
		if len(ids) == 0 {
			continue
		}
		r := rand.New(rand.NewPCG(1, uint64(len(ids))))
		for range 2 {
			s, plain := tok.NewStream(false), &plainStream{tok: tok}
			some := ids[r.IntN(len(ids)):]
			for i := range 300 {
				id := some[r.IntN(min(len(some), 1+r.IntN(20)))]
				got, want := s.Next(id), plain.next(id)
				if got != want {
					t.Fatalf("%s: piece %d is %q, want %q", f, i, got, want)
				}
				long = max(long, len(plain.ids))
			}
		}
	}
	if long < 100 {
		t.Errorf("at most %d tokens were held back", long)
	}
}

// TestStreamIsLinear streams a token that never makes a character: four times as many take at most eight times as long.
func TestStreamIsLinear(t *testing.T) {
	runtime.LockOSThread() // busy is that of a thread
	defer runtime.UnlockOSThread()
	files, _ := filepath.Glob("testdata/*.json.gz")
	more, _ := filepath.Glob("conform/testdata/*.json.gz")
	for _, f := range append(files, more...) {
		tok := loaded(t, testfile.Bytes(t, f))
		for _, id := range broken(tok) {
			if !strings.HasSuffix(tok.Decode([]int32{id, id, id, id}, false), "\ufffd") {
				continue
			}
			least, most := time.Hour, time.Hour
			for range 5 {
				least, most = min(least, streamed(tok, id, 1000)), min(most, streamed(tok, id, 4000))
				if most <= 8*max(least, time.Millisecond) {
					break
				}
			}
			if most > 8*max(least, time.Millisecond) {
				t.Errorf("%s: token %d: %v for 1000, %v for 4000", f, id, least, most)
			}
			break
		}
	}
}

// streamed is the time that n equal tokens take.
func streamed(tok *tokenizer.Tokenizer, id int32, n int) time.Duration {
	begin := busy()
	s := tok.NewStream(false)
	for range n {
		s.Next(id)
	}
	return busy() - begin
}
