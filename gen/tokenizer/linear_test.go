package tokenizer

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tfgen/tfgen/runtime/tokenizer"
	"github.com/tfgen/tfgen/tests/testfile"
)

// monotonous are the units of texts without an end: what a scanner, a normalizer, the merges or the search for added
// tokens would go over again and again if it were quadratic.
var monotonous = []string{
	"a", "A", " ", "\n", " \n", "7", "'", "ab", "a ", "aA", "Aa", "a7", "!?", "中A", "▁", "<", "<s>", "\xff", "\x00", "\t",
	"😀", "👩\u200d", "🇩", "\u0301", "\u0301\u0323", "e\u0301", "\u1100\u1161", "ﾞ", "ﬃ",
}

func repeated(unit string, size int) string { return strings.Repeat(unit, size/len(unit)) }

// elapsed is the time that a text takes to be encoded, with offsets and without, and decoded.
func elapsed(tok *tokenizer.Tokenizer, text string) time.Duration {
	begin := busy()
	ids := tok.Encode(text, true)
	tok.EncodeOffsets(text, true)
	tok.Decode(ids, false)
	return busy() - begin
}

// linear checks that four times the text takes at most eight times as long, in the best of some rounds.
func linear(t *testing.T, tok *tokenizer.Tokenizer, unit string, size int) {
	t.Helper()
	runtime.LockOSThread() // busy is that of a thread
	defer runtime.UnlockOSThread()
	short, long := repeated(unit, size), repeated(unit, 4*size)
	least, most := time.Hour, time.Hour
	for range 5 {
		least, most = min(least, elapsed(tok, short)), min(most, elapsed(tok, long))
		if most <= 8*max(least, 2*time.Millisecond) {
			return
		}
	}
	t.Errorf("%q: %v for %d bytes, %v for %d", unit, least, len(short), most, len(long))
}

// TestLinearTime encodes monotonous texts with tokenizers of every form.
func TestLinearTime(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.json.gz")
	more, _ := filepath.Glob("conform/testdata/*.json.gz")
	for _, f := range append(files, more...) {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".json.gz"), func(t *testing.T) {
			tok := loaded(t, testfile.Bytes(t, f))
			for _, unit := range monotonous {
				linear(t, tok, unit, 2<<10)
			}
		})
	}
	// an added token that takes the white space around it
	tok := loaded(t, []byte(`{"added_tokens":[{"content":"\n","lstrip":true},{"content":"x","lstrip":true,"rstrip":true}],"model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0,"\n":1,"x":2}}}`))
	for _, unit := range []string{"\n", " \n", "x ", " x", " "} {
		linear(t, tok, unit, 2<<10)
	}
}

func loaded(t testing.TB, src []byte) *tokenizer.Tokenizer {
	t.Helper()
	packed, err := FromJSON(src, nil)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.Load(packed)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// TestPublishedLinearTime does it with the published tokenizers and 128 KiB.
func TestPublishedLinearTime(t *testing.T) {
	dir := os.Getenv("TFGEN_MODELS")
	if dir == "" {
		t.Skip("TFGEN_MODELS is not set: the published tokenizers are not here")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "tokenizers/*/tokenizer.json"))
	for _, f := range append(files, filepath.Join(dir, "all-minilm-l6-v2/tokenizer.json")) {
		src, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		t.Run(filepath.Base(filepath.Dir(f)), func(t *testing.T) {
			tok := loaded(t, src)
			for _, unit := range monotonous {
				linear(t, tok, unit, 32<<10)
			}
		})
	}
}
