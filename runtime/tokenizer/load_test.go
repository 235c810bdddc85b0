package tokenizer

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"
	"sync"
	"testing"
)

// source is a small byte-level BPE with every kind of stage.
func source() *Source {
	s := &Source{}
	s.Steps = []Step{
		{Kind: NormNFC}, {Kind: NormReplace, Strs: []string{"\t", "  "}},
		{Kind: PrePattern, Ints: []int32{Isolated, 0}, Strs: []string{PatternLlama3}}, {Kind: PreByteLevel, Ints: []int32{0, 0}},
		{Kind: ModelBPE, Ints: []int32{0, -1}, Strs: []string{"", ""}},
		{Kind: PostTrim, Ints: []int32{1, 0}}, {Kind: PostTemplate, Ints: []int32{258, 0, -1, 0}}, {Kind: PostPair, Ints: []int32{258, 0, -1, 0, -2, 1}},
		{Kind: DecodeByteLevel},
	}
	for b := range 256 {
		s.Tokens = append(s.Tokens, Entry{Text: string(byteChars[b]), Model: true})
	}
	s.Tokens = append(s.Tokens, Entry{Text: "he", Model: true}, Entry{Text: "Ġhe", Model: true}, Entry{Text: "<s>", Added: true, Special: true}, Entry{}, Entry{Text: "New", Added: true, Form: "new"})
	s.Merges = []Merge{{'h', 'e', 256}, {' ', 256, 257}}
	s.Added = []AddedToken{{ID: 258, Flags: AddedSpecial, Pattern: "<s>"}, {ID: 260, Flags: AddedNormalized, Pattern: "new"}}
	return s
}

func packed(t testing.TB, s *Source) []byte {
	t.Helper()
	b, err := Pack(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// reseal makes the checksum of changed data right again.
func reseal(b []byte) []byte {
	binary.LittleEndian.PutUint32(b[8:], crc32.Checksum(b[12:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

func TestSmall(t *testing.T) {
	tok, err := Load(packed(t, source()))
	if err != nil {
		t.Fatal(err)
	}
	ids := tok.Encode("he he<s>new\tx", true)
	want := []int32{258, 256, 257, 258, 260, 32, 32, 'x'}
	if len(ids) != len(want) || !slices.Equal(ids[:5], want[:5]) {
		t.Errorf("ids %v, want %v", ids, want)
	}
	if s := tok.Decode(ids, true); s != "he henew  x" {
		t.Errorf("decoded %q", s)
	}
	if s := tok.Decode([]int32{-1, 259, 1 << 30, 256}, false); s != "he" {
		t.Errorf("ids without a token decode to %q", s)
	}
	if id, ok := tok.TokenID("New"); id != 260 || !ok || tok.Token(260) != "New" || tok.VocabSize() != 261 {
		t.Errorf("token New is %d %v %q of %d", id, ok, tok.Token(260), tok.VocabSize())
	}
	if _, ok := tok.TokenID("absent"); ok || tok.Token(259) != "" || tok.Token(-5) != "" || !tok.IsSpecial(258) || tok.IsSpecial(256) || tok.IsSpecial(-1) {
		t.Error("absent or special tokens are not told apart")
	}
	if got := tok.EncodeLiteral("<s>", false); slices.Contains(got, 258) || len(got) != 3 {
		t.Errorf("literal <s> is %v", got)
	}
}

func TestInvalidUTF8(t *testing.T) {
	tok, err := Load(packed(t, source()))
	if err != nil {
		t.Fatal(err)
	}
	s := "a\xff\xe2\x82b\x00"
	if got, want := tok.Encode(s, false), tok.Encode("a\ufffd\ufffd\ufffdb\x00", false); !slices.Equal(got, want) {
		t.Errorf("ids %v, want %v", got, want)
	}
	_, off := tok.EncodeOffsets(s, false)
	if off[1] != [2]int{1, 2} || off[4] != [2]int{2, 3} || off[len(off)-1] != [2]int{5, 6} {
		t.Errorf("offsets %v", off)
	}
}

func TestStreamHoldsBytesBack(t *testing.T) {
	tok, err := Load(packed(t, source()))
	if err != nil {
		t.Fatal(err)
	}
	s := tok.NewStream(true)
	var got []string
	for _, id := range []int32{258, 256, 0xe2, 0x82, 0xac, 258, 257} {
		got = append(got, s.Next(id))
	}
	if want := []string{"", "he", "", "", "€", "", " he"}; !slices.Equal(got, want) {
		t.Errorf("pieces %q, want %q", got, want)
	}
	if n := testing.AllocsPerRun(1000, func() { s.Next(257) }); n != 0 {
		t.Errorf("%v allocations a piece", n)
	}
}

func TestConcurrentUse(t *testing.T) {
	tok, err := Load(packed(t, source()))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("he said <s> new\tthings, he did. ", 20)
	want := tok.Encode(text, true)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				ids, _ := tok.EncodeOffsets(text, true)
				if !slices.Equal(tok.Encode(text, true), want) || !slices.Equal(ids, want) || tok.Decode(want, true) == "" {
					t.Error("a result differs between goroutines")
				}
			}
		})
	}
	wg.Wait()
}

func TestDamaged(t *testing.T) {
	good := packed(t, source())
	if _, err := Load(good); err != nil {
		t.Fatal(err)
	}
	for n := range len(good) {
		if n%7 == 0 || n < 200 {
			if _, err := Load(good[:n]); err == nil {
				t.Fatalf("the first %d of %d bytes load", n, len(good))
			}
		}
	}
	b := slices.Clone(good)
	b[len(b)-1] ^= 1
	if _, err := Load(b); err == nil || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("a flipped bit gives %v", err)
	}
}

func TestBadSources(t *testing.T) {
	step := func(i int, s Step) func(*Source) { return func(src *Source) { src.Steps[i] = s } }
	for name, change := range map[string]func(*Source){
		"id 900":      func(s *Source) { s.Merges[0].Result = 900 },
		"does not":    func(s *Source) { s.Added[0].ID = 259 },
		"no model":    func(s *Source) { s.Steps = nil },
		"second":      func(s *Source) { s.Steps = append(s.Steps, s.Steps[4]) },
		"both looked": func(s *Source) { s.Added = append(s.Added, s.Added[0]) },
		"1 to":        func(s *Source) { s.Added[0].Pattern = strings.Repeat("x", maxAddedLen+1) },
		"not known":   step(2, Step{Kind: PrePattern, Ints: []int32{Isolated, 0}, Strs: []string{"x"}}),
		"outside":     step(2, Step{Kind: PrePattern, Ints: []int32{9, 0}, Strs: []string{PatternGPT2}}),
		"missing":     step(2, Step{Kind: PreDigits}),
		"expected":    step(2, Step{Kind: PreBert, Ints: []int32{1}}),
		"no such":     step(2, Step{Kind: 63}),
		"as long": func(s *Source) {
			s.Steps = slices.Insert(s.Steps, 0, slices.Repeat([]Step{{Kind: NormReplace, Strs: []string{"a", "aa"}}}, 40)...)
		},
		"character": step(8, Step{Kind: DecodeStrip, Ints: []int32{1, 0}, Strs: []string{"ab"}}),
		"empty":     step(1, Step{Kind: NormReplace, Strs: []string{"", "x"}}),
	} {
		s := source()
		change(s)
		if name == "id 900" {
			name = "token 900"
		}
		if _, err := Load(packed(t, s)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, expected one with %q", err, name)
		}
	}
}

// FuzzLoad changes packed tokenizers, with a right checksum, and uses those that load.
func FuzzLoad(f *testing.F) {
	good := packed(f, source())
	f.Add(good[:headerSize+12*sections], "he he <s>")
	f.Add([]byte(magic), "")
	f.Add(good, "he said: new\ttext \xff")
	word := source()
	word.Steps = []Step{{Kind: NormBertClean}, {Kind: PreBert}, {Kind: ModelWordPiece, Ints: []int32{0, 100}, Strs: []string{"##"}}, {Kind: DecodeWordPiece, Ints: []int32{1}, Strs: []string{"##"}}}
	f.Add(packed(f, word), "he, she")
	f.Fuzz(func(t *testing.T, b []byte, text string) {
		if len(b) < headerSize || len(text) > 1<<12 {
			return
		}
		tok, err := Load(reseal(slices.Clone(b)))
		if err != nil {
			return
		}
		ids := tok.Encode(text, true)
		tok.EncodeOffsets(text, true)
		tok.EncodePair(text, "he")
		tok.Decode(ids, false)
		s := tok.NewStream(true)
		for _, id := range ids {
			s.Next(id)
		}
	})
}
