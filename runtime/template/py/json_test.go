package py

import (
	"strings"
	"testing"
)

// TestDecode keeps order, whole numbers and the difference of 1 and 1.0.
func TestDecode(t *testing.T) {
	const in = `{"b": [1, 1.0, 12345678901234567890, -0.0, 1e400], "a": {"": null}, "é": "\ud83d\ude00"}`
	v, err := Decode([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	got := new(Machine).Dumps(v, JSON{Item: ", ", Key: ": "})
	if want := `{"b": [1, 1.0, 12345678901234567890, -0.0, Infinity], "a": {"": null}, "é": "😀"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, bad := range []string{"", "{", "1 2", `{"a"}`, strings.Repeat("[", 100000), strings.Repeat("9", 5000)} {
		if _, err := Decode([]byte(bad)); err == nil {
			t.Errorf("%.20s: no error", bad)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"a": [1, 2.5, "x", null, {"b": true}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := Decode(data)
		if err != nil {
			return
		}
		again, err := Decode([]byte(new(Machine).Dumps(v, JSON{Item: ",", Key: ":"})))
		if err == nil && !new(Machine).Eq(v, again) && !strings.Contains(string(data), "e") && !strings.Contains(string(data), "E") {
			t.Errorf("%s changes", data)
		}
	})
}
