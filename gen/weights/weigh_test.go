package weights

import (
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/ir"
)

// columnError is the sum of the squared errors of a column behind packing.
func columnError(t *testing.T, p *Packed, src Source, column int) (sum float64) {
	t.Helper()
	l, err := Lookup(p.Layout)
	if err != nil {
		t.Fatal(err)
	}
	want, got, packed := make([]float32, p.Rows*p.Cols), make([]float32, p.Rows*p.Cols), make([]byte, p.Bytes())
	if err := p.packRows(src, l, 0, p.Rows, want, packed); err != nil {
		t.Fatal(err)
	}
	l.Unpack(got, packed, p.Rows, p.Cols)
	for r := range p.Rows {
		d := float64(want[r*p.Cols+column] - got[r*p.Cols+column])
		sum += d * d
	}
	return sum
}

// TestWeigh gives one column of one of two stacked tensors, and of one of two experts, great importance: its error shrinks.
func TestWeigh(t *testing.T) {
	src := memory{"a": {[]int{48, 64}, random(48 * 64)}, "b": {[]int{48, 64}, random(48 * 64)}}
	heavy := make([]float32, 64)
	for i := range heavy {
		heavy[i] = 1
	}
	heavy[7] = 1e4
	even := make([]float32, 64)
	for i := range even {
		even[i] = 3
	}
	w := &ir.Weight{Name: "w", Shape: []int{96, 64}, Parts: []ir.Part{{Tensor: "a"}, {Tensor: "b"}}}
	open := func() *Packed {
		p, err := New("w", "tile16_q4", w)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	plain := columnError(t, open(), src, 7)
	for name, by := range map[string]map[string][]float32{
		"one of two":       {"a": heavy},
		"both":             {"a": heavy, "b": heavy},
		"one of experts":   {"b": append(append([]float32(nil), even...), heavy...)},
		"all columns zero": {"a": make([]float32, 64), "b": heavy},
	} {
		p := open()
		found, err := p.Weigh(src, by)
		if err != nil || !found {
			t.Fatalf("%s: %v, %v", name, found, err)
		}
		if e := columnError(t, p, src, 7); !(e < 0.9*plain) {
			t.Errorf("%s: the error of the column is %.4g, %.4g without importance", name, e, plain)
		}
	}
	p := open()
	if found, err := p.Weigh(src, map[string][]float32{"c": heavy}); found || err != nil || columnError(t, p, src, 7) != plain {
		t.Errorf("another tensor's importance: %v, %v", found, err)
	}
	if _, err := p.Weigh(src, map[string][]float32{"a": heavy[:63]}); err == nil || !strings.Contains(err.Error(), "has 63 values, its rows have 64 columns") {
		t.Errorf("a wrong number of values: %v", err)
	}
}
