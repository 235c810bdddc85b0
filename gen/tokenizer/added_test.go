package tokenizer

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// TestAddedTokensThatStrip has added tokens whose white space reaches over others: n for a line feed, s for a space, and
// the letters of their flags (left, right, normalized). The results are those of the Hugging Face tokenizers library.
func TestAddedTokensThatStrip(t *testing.T) {
	for _, c := range []struct {
		flags, text string
		ids         []int32
		offsets     string
	}{
		{"<a>=r n=", "<a>\n\nx", []int32{4, 3, 3, 1}, "0-5 3-4 4-5 5-6"},
		{"<a>=r n=", "x\n\n\n\ny", []int32{1, 3, 3, 3, 3, 2}, "0-1 1-2 2-3 3-4 4-5 5-6"},
		{"<a>=r n=", "\n\n<a>\n y", []int32{3, 3, 4, 3, 0}, "0-1 1-2 2-7 5-6 6-8"},
		{"<a>=r n=", "  <a>  \n\n <a>x", []int32{0, 4, 3, 3, 6, 4, 1}, "0-2 2-10 7-8 8-9 9-10 10-13 13-14"},
		{"<a>=r n=", " \n \n x", []int32{6, 3, 6, 3, 0}, "0-1 1-2 2-3 3-4 4-6"},
		{"<a>=r n=", "<a> \n", []int32{4, 3}, "0-5 4-5"},
		{"<a>=r n=r", "<a>\n\nx", []int32{4, 3, 3, 1}, "0-5 3-5 4-5 5-6"},
		{"<a>=r n=r", "x\n\n\n\ny", []int32{1, 3, 3, 3, 3, 2}, "0-1 1-5 2-5 3-5 4-5 5-6"},
		{"<a>=r n=r", "\n\n<a>\n y", []int32{3, 3, 4, 3, 2}, "0-2 1-2 2-7 5-7 7-8"},
		{"<a>=r n=r", "  <a>  \n\n <a>x", []int32{0, 4, 3, 3, 4, 1}, "0-2 2-10 7-10 8-10 10-13 13-14"},
		{"<a>=r n=r", " \n \n x", []int32{6, 3, 3, 1}, "0-1 1-5 3-5 5-6"},
		{"<a>=r n=r", "<a> \n", []int32{4, 3}, "0-5 4-5"},
		{"n=lr", "<a>\n\nx", []int32{4, 3, 1}, "0-3 3-5 5-6"},
		{"n=lr", "x\n\n\n\ny", []int32{1, 3, 2}, "0-1 1-5 5-6"},
		{"n=lr", "\n\n<a>\n y", []int32{3, 4, 3, 2}, "0-2 2-5 5-7 7-8"},
		{"n=lr", "  <a>  \n\n <a>x", []int32{0, 3, 0}, "0-5 5-10 10-14"},
		{"n=lr", " \n \n x", []int32{3, 1}, "0-5 5-6"},
		{"n=lr", "<a> \n", []int32{4, 3}, "0-3 3-5"},
		{"n=l <a>=lr", "x\n\n\n\ny", []int32{1, 3, 3, 3, 3, 2}, "0-1 1-2 2-3 3-4 4-5 5-6"},
		{"n=l <a>=lr", " \n \n x", []int32{3, 3, 0}, "0-2 2-4 4-6"},
		{"n=l <a>=lr", "<a> \n", []int32{4}, "0-5"},
		{"<a>=rn n=n", "<a>\n\nx", []int32{4, 3, 3, 1}, "0-5 3-4 4-5 5-6"},
		{"<a>=rn n=n", "x\n\n\n\ny", []int32{1, 3, 3, 3, 3, 2}, "0-1 1-2 2-3 3-4 4-5 5-6"},
		{"<a>=rn n=n", "\n\n<a>\n y", []int32{3, 3, 4, 3, 0}, "0-1 1-2 2-7 5-6 6-8"},
		{"<a>=rn n=n", "  <a>  \n\n <a>x", []int32{0, 4, 3, 3, 6, 4, 1}, "0-2 2-10 7-8 8-9 9-10 10-13 13-14"},
		{"<a>=rn n=n", " \n \n x", []int32{6, 3, 6, 3, 0}, "0-1 1-2 2-3 3-4 4-6"},
		{"<a>=rn n=n", "<a> \n", []int32{4, 3}, "0-5 4-5"},
		{"s=r <a>=l", "<a>\n\nx", []int32{4, 0}, "0-3 3-6"},
		{"s=r <a>=l", "x\n\n\n\ny", []int32{0}, "0-6"},
		{"s=r <a>=l", "\n\n<a>\n y", []int32{4, 3, 6, 2}, "0-5 5-6 6-7 7-8"},
		{"s=r <a>=l", "  <a>  \n\n <a>x", []int32{6, 6, 4, 6, 6, 6, 4, 1}, "0-2 1-2 2-5 5-10 6-10 9-10 10-13 13-14"},
		{"s=r <a>=l", " \n \n x", []int32{6, 6, 6, 1}, "0-5 2-5 4-5 5-6"},
		{"s=r <a>=l", "<a> \n", []int32{4, 6}, "0-3 3-5"},
		{"s=lr n=lr", "<a>\n\nx", []int32{4, 3, 1}, "0-3 3-5 5-6"},
		{"s=lr n=lr", "x\n\n\n\ny", []int32{1, 3, 2}, "0-1 1-5 5-6"},
		{"s=lr n=lr", "\n\n<a>\n y", []int32{3, 4, 3, 2}, "0-2 2-5 5-7 7-8"},
		{"s=lr n=lr", "  <a>  \n\n <a>x", []int32{6, 4, 6, 0}, "0-2 2-5 5-10 10-14"},
		{"s=lr n=lr", " \n \n x", []int32{6, 1}, "0-5 5-6"},
		{"s=lr n=lr", "<a> \n", []int32{4, 6}, "0-3 3-5"},
	} {
		var added []string
		for _, f := range strings.Fields(c.flags) {
			name, flags, _ := strings.Cut(f, "=")
			content := map[string]string{"n": "\\n", "s": " "}[name]
			if content == "" {
				content = name
			}
			added = append(added, fmt.Sprintf(`{"content":"%s","lstrip":%v,"rstrip":%v,"normalized":%v}`, content,
				strings.Contains(flags, "l"), strings.Contains(flags, "r"), strings.Contains(flags, "n")))
		}
		src := `{"added_tokens":[` + strings.Join(added, ",") + `],"model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0,"x":1,"y":2,"\n":3,"<a>":4," ":6}}}`
		packed, err := FromJSON([]byte(src), nil)
		if err != nil {
			t.Fatal(err)
		}
		tok, err := tokenizer.Load(packed)
		if err != nil {
			t.Fatal(err)
		}
		ids, off := tok.EncodeOffsets(c.text, false)
		if want := strings.ReplaceAll("["+strings.ReplaceAll("["+strings.ReplaceAll(c.offsets, " ", "] [")+"]", "-", " ")+"]", "[[]]", "[]"); !slices.Equal(ids, c.ids) || fmt.Sprint(off) != want {
			t.Errorf("%s: %q\n got %v %v\nwant %v %s", c.flags, c.text, ids, off, c.ids, want)
		}
		if plain := tok.Encode(c.text, false); !slices.Equal(plain, ids) {
			t.Errorf("%s: %q without offsets %v, with %v", c.flags, c.text, plain, ids)
		}
	}
}
