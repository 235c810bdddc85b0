package py

import (
	"encoding/json"
	"math"
	"testing"
	"time"
)

type inner struct {
	A int `json:"a"`
}

type outer struct {
	inner
	Name  string         `json:"name"`
	Empty []int          `json:"empty,omitempty"`
	Gone  string         `json:"-"`
	When  time.Time      `json:"when"`
	Zero  time.Time      `json:"zero,omitzero"`
	List  []float32      `json:"list"`
	Map   map[int]string `json:"map"`
	Any   any
	Ptr   *inner
	Nil   *inner
	Bytes json.RawMessage
}

// TestFromGo holds what becomes of Go values against encoding/json.
func TestFromGo(t *testing.T) {
	one, when := 1, time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	for _, v := range []any{
		nil, true, 1, int8(-3), uint64(math.MaxUint64), 1.5, float32(0.1), []byte("abc"), []byte(nil), [][]byte{{1}}, "a\xffb", []int{1, 2}, []any{1, "a", nil, []string{"b"}}, [2]bool{true, false},
		map[string]any{"b": 1, "a": map[string]int{"z": 1, "y": 2}}, map[int8]string{2: "b", 10: "a"}, &one, (*int)(nil), []int(nil), map[string]int(nil),
		json.RawMessage(`{"k": [1, 2.5]}`), json.Number("12"), when, []json.RawMessage{json.RawMessage("1")}, map[string]time.Time{"t": when},
		outer{inner: inner{1}, Name: "n", When: when, List: []float32{1}, Map: map[int]string{1: "x"}, Any: inner{2}, Ptr: &inner{3}, Bytes: json.RawMessage("[]")},
	} {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		want, err := Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		got, err := FromGo(v)
		if err != nil {
			t.Errorf("%#v: %v", v, err)
			continue
		}
		m := NewMachine(Limits{Steps: 1 << 20, Bytes: 1 << 20})
		if a, b := m.Repr(got), m.Repr(want); a != b {
			t.Errorf("%#v: %s, expected %s", v, a, b)
		}
	}
	for _, v := range []any{make(chan int), func() {}, map[float64]int{1: 1}} {
		if x, err := FromGo(v); err == nil {
			t.Errorf("%T became %v", v, x)
		}
	}
}
