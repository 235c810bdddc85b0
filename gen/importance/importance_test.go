package importance

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/checkpoint/gguf"
	"github.com/tfgen/tfgen/gen/checkpoint/tensor"
)

// legacyEntry is an entry of the older format.
func legacyEntry(name string, calls int32, values ...float32) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(name)))
	b = append(b, name...)
	b = binary.LittleEndian.AppendUint32(b, uint32(calls))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(values)))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

func legacyFile(entries ...[]byte) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(entries))), slices.Concat(entries...)...)
}

// ggufFile is a GGUF file with float32 tensors and one metadata value, general.type.
func ggufFile(kind string, tensors ...ggufTensor) []byte {
	u32 := func(b []byte, v int) []byte { return binary.LittleEndian.AppendUint32(b, uint32(v)) }
	u64 := func(b []byte, v int) []byte { return binary.LittleEndian.AppendUint64(b, uint64(v)) }
	text := func(b []byte, s string) []byte { return append(u64(b, len(s)), s...) }
	b := u64(u64(u32([]byte("GGUF"), 3), len(tensors)), 1)
	b = text(u32(text(b, "general.type"), 8), kind)
	var data []byte
	for _, t := range tensors {
		b = u32(text(b, t.name), len(t.shape))
		for _, n := range t.shape {
			b = u64(b, n)
		}
		b = u64(u32(b, 0), len(data))
		for _, v := range t.values {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
		}
		data = append(data, make([]byte, -len(data)&31)...)
	}
	return append(append(b, make([]byte, -len(b)&31)...), data...)
}

type ggufTensor struct {
	name   string
	shape  []int
	values []float32
}

func goodGGUF() []byte {
	return ggufFile("imatrix",
		ggufTensor{"blk.0.attn_q.weight.in_sum2", []int{3}, []float32{4, 8, 0}}, ggufTensor{"blk.0.attn_q.weight.counts", []int{1}, []float32{4}},
		ggufTensor{"blk.0.ffn_up_exps.weight.in_sum2", []int{2, 2}, []float32{2, 6, 0, 0}}, ggufTensor{"blk.0.ffn_up_exps.weight.counts", []int{1, 2}, []float32{2, 0}})
}

func TestRead(t *testing.T) {
	for name, c := range map[string]struct {
		data []byte
		want Matrix
	}{
		"legacy": {append(legacyFile(legacyEntry("a.weight", 2, 2, 4, 0), legacyEntry("b", 1, 5)), "\x07\x00\x00\x00wiki"...), Matrix{"a.weight": {1, 2, 0}, "b": {5}}},
		"gguf":   {goodGGUF(), Matrix{"blk.0.attn_q.weight": {1, 2, 0}, "blk.0.ffn_up_exps.weight": {1, 3, 1, 1}}},
	} {
		m, err := Read(bytes.NewReader(c.data), int64(len(c.data)))
		if err != nil || len(m) != len(c.want) {
			t.Errorf("%s: %v, %v", name, m, err)
		}
		for tensor, want := range c.want {
			if !slices.Equal(m[tensor], want) {
				t.Errorf("%s: %s is %v, expected %v", name, tensor, m[tensor], want)
			}
		}
	}
}

func TestReadErrors(t *testing.T) {
	long := binary.LittleEndian.AppendUint32(nil, 1)
	long = append(long, legacyEntry("a", 1)...)
	copy(long[len(long)-4:], "\xff\xff\xff\x7f") // two thousand million values
	for want, data := range map[string][]byte{
		"has 2 bytes":           {1, 2},
		"0 entries":             make([]byte, 64),
		"expected 1 to":         []byte("not an importance matrix"),
		"bytes are needed":      long,
		"listed twice":          legacyFile(legacyEntry("a", 1, 1), legacyEntry("a", 1, 1)),
		"no sum of squares":     legacyFile(legacyEntry("a", 1, float32(math.NaN()))),
		"-1 in 1 rows":          legacyFile(legacyEntry("a", 1, -1)),
		"0 calls":               legacyFile(legacyEntry("a", 0, 1)),
		`general.type is "x"`:   ggufFile("x"),
		"has no tensors":        ggufFile("imatrix"),
		"2 sums and 0 counts":   ggufFile("imatrix", ggufTensor{"a.in_sum2", []int{2}, []float32{1, 2}}),
		"3 sums and 2 counts":   ggufFile("imatrix", ggufTensor{"a.in_sum2", []int{3}, []float32{1, 2, 3}}, ggufTensor{"a.counts", []int{2}, []float32{1, 1}}),
		"entry 2 of 2: 4 bytes": append(binary.LittleEndian.AppendUint32(nil, 2), legacyEntry("a", 1, 1)...),
	} {
		if m, err := Read(bytes.NewReader(data), int64(len(data))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, %v; want %q", m, err, want)
		}
	}
}

// FuzzRead reads any bytes: an error or a matrix of numbers, and never more memory than the file has.
func FuzzRead(f *testing.F) {
	f.Add(legacyFile(legacyEntry("a.weight", 2, 2, 4, 0), legacyEntry("b", 1, 5)))
	f.Add(goodGGUF())
	f.Add([]byte("GGUF"))
	f.Add(make([]byte, 16))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		total := 0
		for name, values := range m {
			total += 4 * len(values)
			for _, v := range values {
				if !(v >= 0) || math.IsInf(float64(v), 0) {
					t.Fatalf("%q has %v", name, v)
				}
			}
		}
		if total > len(data) {
			t.Fatalf("%d bytes of values from %d", total, len(data))
		}
	})
}

// TestWrite reads what was written, and looks at the file as any GGUF reader does.
func TestWrite(t *testing.T) {
	m := Matrix{"model.layers.0.q.weight": {0.5, 0, 3e-20, 7}, "b": {1}, "blk.1.ffn_up_exps.weight": slices.Repeat([]float32{0.25}, 11)}
	var file bytes.Buffer
	if err := m.Write(&file, "some text", 513); err != nil {
		t.Fatal(err)
	}
	got, err := Read(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if !maps.EqualFunc(got, m, slices.Equal) {
		t.Errorf("read %v, wrote %v", got, m)
	}
	f, err := gguf.Read(bytes.NewReader(file.Bytes()), int64(file.Len()), "", tensor.Limit(int64(file.Len())))
	if err != nil {
		t.Fatal(err)
	}
	if f.Metadata["imatrix.chunk_count"] != uint32(3) || f.Metadata["imatrix.chunk_size"] != uint32(window) {
		t.Errorf("%v", f.Metadata)
	}
	for limit := range file.Len() { // a full disk at any byte is an error
		if m.Write(&limited{limit}, "some text", 513) == nil {
			t.Fatalf("no error after %d of %d bytes", limit, file.Len())
		}
	}
}

// limited takes so many bytes.
type limited struct{ left int }

func (l *limited) Write(p []byte) (int, error) {
	if n := min(len(p), l.left); n < len(p) {
		return n, errors.New("full")
	}
	l.left -= len(p)
	return len(p), nil
}
