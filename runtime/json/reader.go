package json

import (
	"bytes"
	"fmt"
)

// Kind is what a value begins with.
type Kind byte

// Kinds of values. End is the end of the text.
const (
	End    Kind = 0
	Object Kind = '{'
	List   Kind = '['
	Text   Kind = '"'
	Digits Kind = '0' // a number
	True   Kind = 't'
	False  Kind = 'f'
	Null   Kind = 'n'
)

// names of kinds for errors.
var names = map[Kind]string{
	End: "the end", Object: "an object", List: "a list", Text: "a text", Digits: "a number", True: "true", False: "false", Null: "null",
}

// deepest is how far values may nest, as in encoding/json.
const deepest = 10000

// Reader goes through a JSON text from value to value.
type Reader struct {
	data  []byte
	at    int
	depth int
}

// NewReader returns a reader of a text.
func NewReader(data []byte) *Reader { return &Reader{data: data} }

// Offset is how many bytes have been read.
func (r *Reader) Offset() int { return r.at }

// space skips white space and returns the next byte, 0 at the end.
func (r *Reader) space() byte {
	for r.at < len(r.data) {
		switch c := r.data[r.at]; c {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return c
		}
	}
	return 0
}

// Kind is what the next value is; what is no value has a kind without a name.
func (r *Reader) Kind() Kind {
	c := r.space()
	if c == '-' || c >= '0' && c <= '9' {
		return Digits
	}
	return Kind(c)
}

// wrong is the error at what is next.
func (r *Reader) wrong(expected string) error {
	found, ok := names[r.Kind()]
	if !ok {
		found = fmt.Sprintf("%q", []rune(string(r.data[r.at:min(len(r.data), r.at+4)]))[0])
	}
	return fmt.Errorf("expected %s, found %s at byte %d", expected, found, r.at)
}

// expect skips white space and one character.
func (r *Reader) expect(c byte) error {
	if r.space() != c {
		return r.wrong(string([]byte{'\'', c, '\''}))
	}
	r.at++
	return nil
}

// End reports what follows the last value.
func (r *Reader) End() error {
	if r.space(); r.at < len(r.data) {
		return r.wrong("nothing more")
	}
	return nil
}

// Object reads an object. member is called with each name and reads its value.
func (r *Reader) Object(member func(name string) error) error {
	return r.nest('{', '}', func() error {
		if r.Kind() != Text {
			return r.wrong("a name or '}'")
		}
		name, err := r.Text()
		if err == nil {
			err = r.expect(':')
		}
		if err != nil {
			return err
		}
		return member(name)
	})
}

// List reads a list. item is called for each value and reads it.
func (r *Reader) List(item func() error) error { return r.nest('[', ']', item) }

// nest reads what stands between brackets, with commas between.
func (r *Reader) nest(open, closing byte, item func() error) error {
	if r.Kind() != Kind(open) {
		return r.wrong(names[Kind(open)])
	}
	r.at++
	if r.depth++; r.depth > deepest {
		return fmt.Errorf("nested deeper than %d", deepest)
	}
	defer func() { r.depth-- }()
	if r.space() == closing {
		r.at++
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if r.space() == ',' {
			r.at++
			continue
		}
		return r.expect(closing)
	}
}

// Skip reads a value of any kind.
func (r *Reader) Skip() error {
	switch r.Kind() {
	case Object:
		return r.Object(func(string) error { return r.Skip() })
	case List:
		return r.List(r.Skip)
	case Text:
		_, err := r.quoted()
		return err
	case Digits:
		_, err := r.Number()
		return err
	case Null:
		return r.word("null")
	case True, False:
		_, err := r.Bool()
		return err
	}
	return r.wrong("a value")
}

// Raw reads a value of any kind as its text.
func (r *Reader) Raw() (RawMessage, error) {
	r.space()
	begin := r.at
	if err := r.Skip(); err != nil {
		return nil, err
	}
	return bytes.Clone(r.data[begin:r.at]), nil
}

// Bool reads true or false.
func (r *Reader) Bool() (bool, error) {
	switch r.Kind() {
	case True:
		return true, r.word("true")
	case False:
		return false, r.word("false")
	}
	return false, r.wrong("true or false")
}

// word reads a word.
func (r *Reader) word(w string) error {
	if !bytes.HasPrefix(r.data[r.at:], []byte(w)) {
		return fmt.Errorf("expected %s at byte %d", w, r.at)
	}
	r.at += len(w)
	return nil
}

// Number reads a number.
func (r *Reader) Number() (Number, error) {
	if r.Kind() != Digits {
		return "", r.wrong("a number")
	}
	begin := r.at
	if r.data[r.at] == '-' {
		r.at++
	}
	ok := true
	if r.at < len(r.data) && r.data[r.at] == '0' {
		r.at++
	} else {
		ok = r.digits()
	}
	if ok && r.at < len(r.data) && r.data[r.at] == '.' {
		r.at++
		ok = r.digits()
	}
	if ok && r.at < len(r.data) && r.data[r.at]|0x20 == 'e' {
		if r.at++; r.at < len(r.data) && (r.data[r.at] == '+' || r.data[r.at] == '-') {
			r.at++
		}
		ok = r.digits()
	}
	if !ok {
		return "", fmt.Errorf("expected a digit at byte %d", r.at)
	}
	return Number(r.data[begin:r.at]), nil
}

// digits reads digits; at least one is needed.
func (r *Reader) digits() bool {
	begin := r.at
	for r.at < len(r.data) && r.data[r.at] >= '0' && r.data[r.at] <= '9' {
		r.at++
	}
	return r.at > begin
}
