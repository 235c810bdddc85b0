package json

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// texts are values and what is none.
var texts = []string{
	`null`, `true`, `false`, `tru`, `nul`, `0`, `-0`, `01`, `-`, `1.`, `.5`, `1.5e3`, `1E+`, `1e-7`, `+1`, `12345678901234567890`, `1e400`,
	`""`, `"a\"b\\\/\b\f\n\r\t"`, `"\u00e9\ud83d\ude00"`, `"\ud83d"`, `"\ud83d\u0041"`, `"\ude00"`, `"\u12"`, `"\x"`, "\"\x01\"", "\"\xff\"", `"`, `"\`,
	`[]`, `[1, 2,3]`, `[1,]`, `[,]`, `[1`, `[1 2]`, ` [ [1] , [] ] `, `["a", null]`, `{}`, `{"a": 1, "b": [true]}`, `{"a" 1}`, `{"a": }`, `{a: 1}`,
	`{"a": 1,}`, `{"a": 1 "b": 2}`, `{"a": {"a": {}}}`, ``, ` `, `1 2`, `{} x`, "\ufeff1", strings.Repeat("[", 20000), "nullx", `[null]`, `[[1], null]`, `1.0`,
}

func FuzzReader(f *testing.F) {
	for _, s := range texts {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { same(t, data) })
}

// same holds everything that is read against encoding/json.
func same(t *testing.T, data []byte) {
	t.Helper()
	if got, want := Valid(data), json.Valid(data); got != want {
		t.Fatalf("Valid(%.80q) = %v, expected %v", data, got, want)
	}
	agree[string](t, data)
	agree[bool](t, data)
	agree[float64](t, data)
	agree[int](t, data)
	agree[int32](t, data)
	agree[int64](t, data)
	agree[uint64](t, data)
	agree[*bool](t, data)
	agree[[]string](t, data)
	agree[[]int32](t, data)
	agree[[][]int32](t, data)
	agree[RawMessage](t, data)
	agree[[]RawMessage](t, data)
	agree[map[string]RawMessage](t, data)
}

// agree holds one type; of a value that is refused only that it is.
func agree[T any](t *testing.T, data []byte) {
	t.Helper()
	var got, want T
	err, expected := Unmarshal(data, &got), json.Unmarshal(data, &want)
	if (err == nil) != (expected == nil) {
		t.Fatalf("%.80q into %T: %v, expected %v", data, got, err, expected)
	}
	if err == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("%.80q into %T: %#v, expected %#v", data, got, got, want)
	}
}

func TestReader(t *testing.T) {
	for _, s := range texts {
		same(t, []byte(s))
	}
}

func FuzzQuote(f *testing.F) {
	for _, s := range append(texts, "a\u2028<&>\x7f\x00", "\xff\xfe") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(s); err != nil {
			t.Fatal(err)
		}
		if want := strings.TrimSuffix(b.String(), "\n"); Quote(s) != want {
			t.Fatalf("Quote(%q) = %s, expected %s", s, Quote(s), want)
		}
	})
}

func TestErrorsSayWhere(t *testing.T) {
	var n int
	for text, want := range map[string]string{
		`"a"`: "expected a number, found a text at byte 0", ` 1.5`: "1.5 is not an integer of the range that is expected",
		`1 x`: `expected nothing more, found 'x' at byte 2`, ``: "expected a number, found the end at byte 0",
	} {
		if err := Unmarshal([]byte(text), &n); err == nil || err.Error() != want {
			t.Errorf("%q: %v, expected %s", text, err, want)
		}
	}
}
