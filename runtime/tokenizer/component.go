package tokenizer

import "fmt"

// Piece is a part of a text that a pre-tokenizer makes: what it says, and the bytes of the text it stands for.
type Piece struct {
	Text   string
	Lo, Hi int
}

// PreTokenizer returns the function that the pre-tokenizers among steps make together.
func PreTokenizer(steps []Step) (func(string) []Piece, error) {
	t := &Tokenizer{}
	for _, s := range steps {
		if s.Kind < PreByteLevel || s.Kind >= ModelBPE {
			continue
		}
		a := &args{Step: s}
		t.pre = append(t.pre, newPreTokenizer(a))
		if err := a.finish(); err != nil {
			return nil, err
		}
	}
	return func(text string) []Piece {
		s := t.acquire(true, false)
		defer t.release(s)
		s.cut(text)
		var out []Piece
		for _, p := range s.pieces {
			out = append(out, Piece{string(s.cur.b[p.lo:p.hi]), s.cur.al[p.lo].lo, s.cur.al[p.hi-1].hi})
		}
		return out
	}, nil
}

// Decoder returns the function that the decoders among steps make together: it joins the texts of tokens.
func Decoder(steps []Step) (func(tokens []string) string, error) {
	var list []decoder
	for _, s := range steps {
		if s.Kind < DecodeByteLevel || s.Kind >= DefaultTruncation {
			continue
		}
		a := &args{Step: s}
		list = append(list, newDecoder(a))
		if err := a.finish(); err != nil {
			return nil, err
		}
	}
	return func(texts []string) string {
		in, out := &tokens{}, &tokens{}
		for _, s := range texts {
			in.b = append(in.b, s...)
			in.end()
		}
		for _, f := range list {
			out.reset()
			f(in, out)
			in, out = out, in
		}
		return string(in.b)
	}, nil
}

// Splitter returns the function that lists the texts of the pieces that normalizers, added tokens and pre-tokenizers
// cut a text into. The function may be called from several goroutines.
func Splitter(p *Pipeline) (func(string) []string, error) {
	t := &Tokenizer{}
	for _, a := range p.Added {
		set := &t.added
		if a.Flags&AddedNormalized != 0 {
			set = &t.normed
		}
		if n := len(set.tokens); a.Pattern == "" || n > 0 && set.tokens[n-1].Pattern >= a.Pattern {
			return nil, fmt.Errorf("tokenizer: added tokens are empty or not sorted")
		}
		set.append(a)
	}
	for _, s := range p.Steps {
		a := &args{Step: s}
		switch {
		case s.Kind < PreByteLevel:
			t.norm = append(t.norm, newNormalizer(a))
		case s.Kind < ModelBPE:
			t.pre = append(t.pre, newPreTokenizer(a))
		default:
			continue
		}
		if err := a.finish(); err != nil {
			return nil, err
		}
	}
	return func(text string) []string {
		s := t.acquire(true, false)
		defer t.release(s)
		s.cut(text)
		out := make([]string, len(s.pieces))
		for i, p := range s.pieces {
			out[i] = string(s.cur.b[p.lo:p.hi])
		}
		return out
	}, nil
}
