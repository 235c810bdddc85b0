package weights

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/checkpoint/tensor"
	"github.com/tfgen/tfgen/gen/ir"
)

// memory is a checkpoint in memory.
type memory map[string]array

type array struct {
	shape []int
	data  []float32
}

func (m memory) Tensor(name string) (tensor.Tensor, bool) {
	t, ok := m[name]
	return tensor.Tensor{Name: name, Shape: t.shape}, ok
}

func (m memory) ReadF32(name string, first, count int, dst []float32) error {
	t, ok := m.Tensor(name)
	rows, cols := t.Row()
	if !ok || first < 0 || count < 0 || first+count > rows || len(dst) != count*cols {
		return fmt.Errorf("read of %s rows [%d, +%d) into %d", name, first, count, len(dst))
	}
	copy(dst, m[name].data[first*cols:])
	return nil
}

// counting returns a tensor of 0, 1, 2, …
func counting(shape ...int) array {
	n := 1
	for _, d := range shape {
		n *= d
	}
	t := array{shape, make([]float32, n)}
	for i := range t.data {
		t.data[i] = float32(i)
	}
	return t
}

var checkpoint = memory{
	"a": counting(2, 3), "b": counting(3, 2), "v": counting(4), "six": counting(6, 2), "row": counting(1, 4), "heads": counting(8, 1),
	"cube": counting(2, 2, 3), "filter": counting(4, 1, 2),
	"nan":  {[]int{2, 2}, []float32{1, 2, float32(math.NaN()), 4}},
	"none": {[]int{0, 3}, nil},
}

func TestRows(t *testing.T) {
	step := func(kind string) ir.Step { return ir.Step{Kind: kind} }
	for _, c := range []struct {
		name  string
		shape []int
		parts []ir.Part
		want  []float32
	}{
		{"plain", []int{2, 3}, []ir.Part{{Tensor: "a"}}, []float32{0, 1, 2, 3, 4, 5}},
		{"transpose", []int{3, 2}, []ir.Part{{Tensor: "a", Steps: []ir.Step{step("transpose")}}}, []float32{0, 3, 1, 4, 2, 5}},
		{"twice", []int{2, 3}, []ir.Part{{Tensor: "a", Steps: []ir.Step{step("transpose"), step("transpose")}}}, []float32{0, 1, 2, 3, 4, 5}},
		{"rows", []int{1, 2}, []ir.Part{{Tensor: "b", Steps: []ir.Step{{Kind: "rows", From: 1, To: 2}}}}, []float32{2, 3}},
		{"columns", []int{1, 2}, []ir.Part{{Tensor: "a", Steps: []ir.Step{step("transpose"), {Kind: "rows", From: 2, To: 3}}}}, []float32{2, 5}},
		{"arithmetic", []int{4}, []ir.Part{{Tensor: "v", Steps: []ir.Step{{Kind: "add", C: 1}, {Kind: "mul", C: 0.5}}}}, []float32{0.5, 1, 1.5, 2}},
		{"stack", []int{4, 3}, []ir.Part{{Tensor: "a"}, {Tensor: "b", Steps: []ir.Step{step("transpose")}}}, []float32{0, 1, 2, 3, 4, 5, 0, 2, 4, 1, 3, 5}},
		{"vectors", []int{8}, []ir.Part{{Tensor: "v"}, {Tensor: "row"}}, []float32{0, 1, 2, 3, 0, 1, 2, 3}},
		{"squeeze", []int{4, 2}, []ir.Part{{Tensor: "filter", Steps: []ir.Step{step("squeeze")}}}, []float32{0, 1, 2, 3, 4, 5, 6, 7}},
		{"flatten", []int{6}, []ir.Part{{Tensor: "b", Steps: []ir.Step{step("flatten")}}}, []float32{0, 1, 2, 3, 4, 5}},
		{"reshape", []int{4, 3}, []ir.Part{{Tensor: "cube", Steps: []ir.Step{{Kind: "reshape", From: 4, To: 3}}}}, []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
		{"reshape after transpose", []int{2, 3}, []ir.Part{{Tensor: "a", Steps: []ir.Step{step("transpose"), {Kind: "reshape", From: 2, To: 3}}}}, []float32{0, 3, 1, 4, 2, 5}},
		{"expert transposed", []int{3, 2}, []ir.Part{{Tensor: "cube", Steps: []ir.Step{{Kind: "reshape", From: 4, To: 3}, {Kind: "rows", From: 2, To: 4}, step("transpose")}}}, []float32{6, 9, 7, 10, 8, 11}},
		{"exp", []int{4}, []ir.Part{{Tensor: "v", Steps: []ir.Step{step("exp"), {Kind: "mul", C: -1}}}}, []float32{-1, -2.7182817, -7.389056, -20.085537}},
		{"take", []int{2, 2}, []ir.Part{{Tensor: "six", Steps: []ir.Step{{Kind: "take", N: 3, From: 1, To: 2}}}}, []float32{2, 3, 8, 9}},
		{"take two", []int{4, 2}, []ir.Part{{Tensor: "six", Steps: []ir.Step{{Kind: "take", N: 3, From: 1, To: 3}}}}, []float32{2, 3, 4, 5, 8, 9, 10, 11}},
		{"take of rows", []int{1, 2}, []ir.Part{{Tensor: "six", Steps: []ir.Step{{Kind: "rows", From: 2, To: 4}, {Kind: "take", N: 2, From: 0, To: 1}}}}, []float32{4, 5}},
		{"flatten and take", []int{3}, []ir.Part{{Tensor: "a", Steps: []ir.Step{step("flatten"), {Kind: "take", N: 2, From: 1, To: 2}}}}, []float32{1, 3, 5}},
		{"constant", []int{3}, []ir.Part{{Zeros: 3, Fill: 0.5}}, []float32{0.5, 0.5, 0.5}},
		{"softplus", []int{4}, []ir.Part{{Tensor: "v", Steps: []ir.Step{step("softplus"), {Kind: "mul", C: -8}}}}, []float32{-5.5451775, -10.506093, -17.015425, -24.388699}},
		// Two heads of four stored rows 0 1 2 3: (0, d/2), (1, d/2+1).
		{"unpermute", []int{8}, []ir.Part{{Tensor: "heads", Steps: []ir.Step{{Kind: "unpermute", N: 2}}}}, []float32{0, 2, 1, 3, 4, 6, 5, 7}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &ir.Weight{Name: "w", Shape: c.shape, Parts: c.parts}
			if err := Check(checkpoint, w); err != nil {
				t.Fatal(err)
			}
			rows, cols := Dims(w)
			for first := range rows {
				for count := range rows - first + 1 {
					got := make([]float32, count*cols)
					if err := Rows(checkpoint, w, first, count, got); err != nil {
						t.Fatal(err)
					}
					if want := c.want[first*cols : (first+count)*cols]; !slices.Equal(got, want) {
						t.Errorf("rows %d to %d are %v, expected %v", first, first+count, got, want)
					}
				}
			}
		})
	}
}

// TestUnpermute applies llama.cpp's permute, written as its reshape and swapaxes, and undoes it.
func TestUnpermute(t *testing.T) {
	const heads, width, cols = 3, 10, 4
	plain := counting(heads*width, cols)
	stored := array{plain.shape, make([]float32, len(plain.data))}
	for h := range heads {
		for s := range 2 {
			for j := range width / 2 {
				from, to := h*width+s*width/2+j, h*width+j*2+s
				copy(stored.data[to*cols:(to+1)*cols], plain.data[from*cols:])
			}
		}
	}
	w := &ir.Weight{Name: "q", Shape: plain.shape, Parts: []ir.Part{{Tensor: "q", Steps: []ir.Step{{Kind: "unpermute", N: heads}}}}}
	got := make([]float32, len(plain.data))
	if err := Rows(memory{"q": stored}, w, 0, heads*width, got); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, plain.data) {
		t.Error("the rows are not in their original order")
	}
}

func TestRowsErrors(t *testing.T) {
	for _, c := range []struct {
		shape []int
		part  ir.Part
		want  string
	}{
		{[]int{2, 3}, ir.Part{Tensor: "gone"}, "spec.yaml:7: weight w: the checkpoint has no tensor gone"},
		{[]int{3, 2}, ir.Part{Tensor: "a"}, "tensor a gives [2 3], expected 2 columns"},
		{[]int{4, 3}, ir.Part{Tensor: "a"}, "its tensors give 2 rows, expected shape [4 3]"},
		{[]int{2, 3, 1}, ir.Part{Tensor: "a"}, "expected a vector or a matrix"},
		{[]int{2, 3}, ir.Part{Tensor: "a", Steps: []ir.Step{{Kind: "rows", From: 1, To: 5}}}, "rows 1 to 5 of 2"},
		{[]int{2, 3}, ir.Part{Tensor: "a", Steps: []ir.Step{{Kind: "spin"}}}, `no step is called "spin"; there are add, exp, flatten, layernorm, linear, mul, reshape, rows, sin, softplus, squeeze, state_space, take, transpose, unpermute, window`},
		{[]int{2, 3}, ir.Part{Tensor: "a", Steps: []ir.Step{{Kind: "unpermute", N: 2}}}, "2 rows cannot be 2 heads of an even width"},
		{[]int{2, 2}, ir.Part{Tensor: "nan"}, "weight w: tensor nan: row 1 contains NaN"},
		{[]int{2, 2}, ir.Part{Tensor: "none"}, "tensor none of shape [0 3] is empty"},
	} {
		w := &ir.Weight{Name: "w", Shape: c.shape, Parts: []ir.Part{c.part}, Pos: ir.Pos{File: "spec.yaml", Line: 7}}
		err := Rows(checkpoint, w, 0, c.shape[0], make([]float32, 64))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, expected %q", err, c.want)
		}
	}
	w := &ir.Weight{Name: "w", Shape: []int{2, 3}, Parts: []ir.Part{{Tensor: "a"}}}
	for _, r := range [][2]int{{-1, 1}, {0, 3}, {2, 1}, {0, -1}} {
		if err := Rows(checkpoint, w, r[0], r[1], make([]float32, 64)); err == nil {
			t.Errorf("rows %d, +%d of 2 were read", r[0], r[1])
		}
	}
}
