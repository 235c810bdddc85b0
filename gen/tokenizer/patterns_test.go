package tokenizer

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// TestEmptyPatterns checks that an empty text to look for is found between all characters, as in the Hugging Face library.
func TestEmptyPatterns(t *testing.T) {
	const file = `{"normalizer":%s,"pre_tokenizer":%s,"decoder":%s,"model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0,"a":1,"é":2,"xaxéx":3,"c":4}}}`
	for _, c := range []struct {
		norm, pre, decoder string
		ids                []int32
		text               string
	}{
		{`{"type":"Replace","pattern":{"String":""},"content":"x"}`, "null", "null", []int32{3}, "xaxéx"},
		{"null", `{"type":"Split","pattern":{"String":""},"behavior":"Isolated"}`, `{"type":"BPEDecoder","suffix":""}`, []int32{1, 2}, " a é"},
		{"null", `{"type":"Split","pattern":{"String":""},"behavior":"Removed"}`, `{"type":"Replace","pattern":{"String":""},"content":"x"}`, []int32{1, 2}, "xaxxéx"},
	} {
		tok := loaded(t, fmt.Appendf(nil, file, c.norm, c.pre, c.decoder))
		ids := tok.Encode("aé", false)
		if got := tok.Decode(ids, false); !slices.Equal(ids, c.ids) || got != c.text {
			t.Errorf("%v: %v, %q; want %v, %q", c, ids, got, c.ids, c.text)
		}
	}
	if _, err := tokenizer.Load(nil); err == nil {
		t.Error("nothing is a tokenizer")
	}
}
