package weights

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/ir"
)

// file is a growing file in memory; full is how many bytes fit, 0 for no limit.
type file struct {
	data []byte
	full int
}

var errFull = errors.New("no space left on device")

func (f *file) WriteAt(b []byte, at int64) (int, error) {
	end := int(at) + len(b)
	if f.full > 0 && end > f.full {
		return 0, errFull
	}
	if end > len(f.data) {
		f.data = append(f.data, make([]byte, end-len(f.data))...)
	}
	return copy(f.data[at:], b), nil
}

// locked makes the file safe for two workers.
type locked struct {
	f  *file
	mu chan struct{}
}

func (l locked) WriteAt(b []byte, at int64) (int, error) {
	l.mu <- struct{}{}
	defer func() { <-l.mu }()
	return l.f.WriteAt(b, at)
}

var model = memory{
	"q": {[]int{40, 96}, random(40 * 96)}, "k": {[]int{24, 96}, random(24 * 96)},
	"q.b": {[]int{40}, random(40)}, "embed": {[]int{3000, 600}, random(3000 * 600)},
}

func packModel(t *testing.T) []*Packed {
	t.Helper()
	weight := func(name string) *ir.Weight {
		return &ir.Weight{Name: name, Shape: model[name].shape, Parts: []ir.Part{{Tensor: name}}}
	}
	var list []*Packed
	for _, p := range []struct {
		name, layout string
		ws           []*ir.Weight
	}{
		{"qk.bias", "vector_f32", []*ir.Weight{weight("q.b"), Zeros(24)}},
		{"qk", "tile16_f32", []*ir.Weight{weight("q"), weight("k")}},
		{"embed", "rows_bf16", []*ir.Weight{weight("embed")}},
		{"head", "tile16_bf16", []*ir.Weight{weight("embed")}},
	} {
		packed, err := New(p.name, p.layout, p.ws...)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, packed)
	}
	return list
}

func writeModel(t *testing.T, workers int) ([]byte, []*Packed, [32]byte) {
	t.Helper()
	packed, f := packModel(t), &file{}
	var last int64
	digest, err := write(context.Background(), locked{f, make(chan struct{}, 1)}, packed, model, func(done, total int64, _ string) {
		if done <= last || done > total {
			t.Errorf("%d bytes of %d after %d", done, total, last)
		}
		last = done
	}, workers)
	if err != nil {
		t.Fatal(err)
	}
	return f.data, packed, digest
}

func TestWrite(t *testing.T) {
	data, packed, digest := writeModel(t, 1)
	again, _, digest2 := writeModel(t, 2)
	if !bytes.Equal(data, again) || digest != digest2 {
		t.Fatal("the file depends on the number of workers")
	}
	headerSize, total, err := Place(packed)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(data)) != total || headerSize%4096 != 0 || sha256.Sum256(data[:headerSize]) != digest {
		t.Fatalf("file of %d bytes, header %d, expected %d", len(data), headerSize, total)
	}
	at := headerSize
	for _, p := range packed {
		if p.Offset != at || p.Offset%64 != 0 || p.Bytes() >= 64<<10 && p.Offset%4096 != 0 {
			t.Errorf("%s is at %d, the one before ends at %d", p.Name, p.Offset, at)
		}
		at += p.Size
		if sha256.Sum256(data[p.Offset:at]) != p.SHA256 {
			t.Errorf("%s has another digest", p.Name)
		}
	}
	bias := unpacked(t, packed[0], data)
	if !slices.Equal(bias[:40], model["q.b"].data) || !slices.Equal(bias[40:], make([]float32, 24)) {
		t.Error("the bias is not the vector followed by zeros")
	}
	if want := slices.Concat(model["q"].data, model["k"].data); !slices.Equal(unpacked(t, packed[1], data), want) {
		t.Error("the fused projection is not its weights one below another")
	}
	if !slices.Equal(packed[1].Sources, []string{"q", "k"}) {
		t.Errorf("sources are %v", packed[1].Sources)
	}
	if !slices.Equal(unpacked(t, packed[2], data), unpacked(t, packed[3], data)) {
		t.Error("the layouts of one matrix differ")
	}
}

func unpacked(t *testing.T, p *Packed, data []byte) []float32 {
	t.Helper()
	l, err := Lookup(p.Layout)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, p.Rows*p.Cols)
	l.Unpack(x, data[p.Offset:p.Offset+p.Size], p.Rows, p.Cols)
	return x
}

// TestContainer reads the header as any safetensors reader does.
func TestContainer(t *testing.T) {
	data, packed, _ := writeModel(t, 2)
	n := binary.LittleEndian.Uint64(data)
	var tensors map[string]json.RawMessage
	if err := json.Unmarshal(data[8:8+n], &tensors); err != nil {
		t.Fatal(err)
	}
	var meta map[string]string
	if err := json.Unmarshal(tensors["__metadata__"], &meta); err != nil {
		t.Fatal(err)
	}
	if got := meta["qk"]; !strings.HasPrefix(got, "tile16_f32 64×96 sha256:") {
		t.Errorf("metadata of qk is %q", got)
	}
	end := int64(0)
	for _, p := range packed {
		var e entry
		if err := json.Unmarshal(tensors[p.Name], &e); err != nil {
			t.Fatal(err)
		}
		if e.Offsets[0] != end || e.Shape[0]*elementSize[e.DType] != e.Offsets[1]-e.Offsets[0] {
			t.Errorf("%s: %+v after %d", p.Name, e, end)
		}
		end = e.Offsets[1]
	}
	if end != int64(len(data))-8-int64(n) {
		t.Errorf("tensors end at %d of %d", end, int64(len(data))-8-int64(n))
	}
}

func TestWriteErrors(t *testing.T) {
	packed := packModel(t)
	_, err := Write(context.Background(), locked{&file{full: 1 << 20}, make(chan struct{}, 1)}, packed, model, nil)
	if !errors.Is(err, errFull) {
		t.Errorf("error %v on a full disk", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stop := func(done, total int64, _ string) { cancel() }
	if _, err := Write(ctx, locked{&file{}, make(chan struct{}, 1)}, packed, model, stop); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v after an interruption", err)
	}
	big := memory{"w": {[]int{2, 2}, []float32{1, 2, 3, math.MaxFloat32}}}
	p, err := New("w", "tile16_bf16", Zeros(2), Zeros(2))
	if err != nil {
		t.Fatal(err)
	}
	p.Weights = []*ir.Weight{{Name: "w", Shape: []int{2, 2}, Parts: []ir.Part{{Tensor: "w"}}}}
	p.Rows, p.Cols = 2, 2
	_, err = Write(context.Background(), locked{&file{}, make(chan struct{}, 1)}, []*Packed{p}, big, nil)
	if err == nil || !strings.Contains(err.Error(), "packing w: weight w: row 1 contains 3.4028235e+38, which bfloat16 cannot hold") {
		t.Errorf("error %v, expected the row", err)
	}
	if _, _, err := Place([]*Packed{packed[0], packed[0]}); err == nil || !strings.Contains(err.Error(), `the name "qk.bias" of a packed tensor is taken`) {
		t.Errorf("error %v, expected one about the name", err)
	}
	if _, err := New("w", "vector_f32", Zeros(2), &ir.Weight{Name: "m", Shape: []int{2, 3}}); err == nil {
		t.Error("a vector and a matrix were stacked")
	}
}

// discard is a disk of any speed.
type discard struct{}

func (discard) WriteAt(b []byte, _ int64) (int, error) { return len(b), nil }

func benchmarkWrite(b *testing.B, layout string, steps ...ir.Step) {
	src := memory{"w": {[]int{4096, 2048}, random(4096 * 2048)}}
	w := &ir.Weight{Name: "w", Shape: []int{4096, 2048}, Parts: []ir.Part{{Tensor: "w", Steps: steps}}}
	if len(steps) > 0 {
		w.Shape = []int{2048, 4096}
	}
	p, err := New("w", layout, w)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(p.Bytes())
	for b.Loop() {
		if _, err := Write(context.Background(), discard{}, []*Packed{p}, src, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriteTileF32(b *testing.B)  { benchmarkWrite(b, "tile16_f32") }
func BenchmarkWriteTileBF16(b *testing.B) { benchmarkWrite(b, "tile16_bf16") }
func BenchmarkWriteTransposed(b *testing.B) {
	benchmarkWrite(b, "tile16_f32", ir.Step{Kind: "transpose"})
}

// TestHugeBlocks writes from two sides into blocks: each is filled by one write first, and every byte ends as written last.
func TestHugeBlocks(t *testing.T) {
	const size = 2*hugeBlock + 1000
	f := &writes{}
	w := inHugeBlocks(f, size)
	want := make([]byte, size)
	for _, p := range []struct{ at, n int }{{hugeBlock - 10, 20}, {0, 500}, {size - 300, 300}, {hugeBlock, 5}} {
		b := bytes.Repeat([]byte{byte(p.n)}, p.n)
		copy(want[p.at:], b)
		if n, err := w.WriteAt(b, int64(p.at)); n != p.n || err != nil {
			t.Fatalf("WriteAt of %d bytes at %d: %d, %v", p.n, p.at, n, err)
		}
	}
	if !bytes.Equal(f.data, want) {
		t.Error("the bytes differ from what was written")
	}
	begun := [][2]int{{0, hugeBlock}, {hugeBlock, hugeBlock}, {hugeBlock - 10, 20}, {0, 500}, {2 * hugeBlock, 1000}, {size - 300, 300}, {hugeBlock, 5}}
	if !slices.Equal(f.places, begun) {
		t.Errorf("writes at (offset, bytes) %v, want %v", f.places, begun)
	}
	if inHugeBlocks(f, 1000) != io.WriterAt(f) {
		t.Error("a small file is written in blocks")
	}
}

// writes records where it was written.
type writes struct {
	file
	places [][2]int
}

func (w *writes) WriteAt(b []byte, at int64) (int, error) {
	w.places = append(w.places, [2]int{int(at), len(b)})
	return w.file.WriteAt(b, at)
}
