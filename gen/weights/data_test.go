package weights

import (
	"bytes"
	"context"
	"crypto/sha256"
	"testing"
)

// TestData stores bytes of awkward lengths behind each other.
func TestData(t *testing.T) {
	want := [][]byte{bytes.Repeat([]byte("tables"), 3), bytes.Repeat([]byte{1, 2, 3}, 1<<20), {7}}
	var packed []*Packed
	for i, data := range want {
		packed = append(packed, Data(string(rune('a'+i)), data))
	}
	if _, _, err := Place(packed); err != nil {
		t.Fatal(err)
	}
	var f file
	if _, err := Write(context.Background(), &locked{f: &f, mu: make(chan struct{}, 1)}, packed, nil, nil); err != nil {
		t.Fatal(err)
	}
	for i, p := range packed {
		stored := f.data[p.Offset:][:p.Size]
		if !bytes.Equal(stored[:p.Bytes()], want[i]) {
			t.Errorf("tensor %s differs", p.Name)
		}
		if len(bytes.Trim(stored[p.Bytes():], "\x00")) > 0 || sha256.Sum256(stored) != p.SHA256 {
			t.Errorf("tensor %s: digest or padding is wrong", p.Name)
		}
	}
}
