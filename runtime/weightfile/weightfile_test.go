package weightfile

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"
)

// testFile returns the bytes and the layout of a file with a header of 128 bytes
// and three tensors of the given size, which is a multiple of Alignment.
func testFile(size int) ([]byte, Layout) {
	b := make([]byte, 128+3*size)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	want := Layout{Size: int64(len(b)), Header: sha256.Sum256(b[:128]), HeaderSize: 128}
	for i, name := range []string{"embed", "layer.0", "head"} {
		at := 128 + i*size
		want.Tensors = append(want.Tensors, Tensor{name, int64(at), int64(size), sha256.Sum256(b[at:][:size])})
	}
	return b, want
}

// write writes b to a new file and returns its path.
func write(t testing.TB, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.weights")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpen(t *testing.T) {
	b, want := testFile(640)
	w, err := Open(write(t, b), want)
	if err != nil {
		t.Fatal(err)
	}
	for _, tensor := range want.Tensors {
		if got := w.Bytes(tensor.Offset, int(tensor.Size)); !bytes.Equal(got, b[tensor.Offset:][:tensor.Size]) {
			t.Errorf("tensor %s differs", tensor.Name)
		}
	}
	if w.Size() != want.Size {
		t.Errorf("Size() = %d, want %d", w.Size(), want.Size)
	}
	if at := uintptr(unsafe.Pointer(&w.Bytes(128, 1)[0])); at%Alignment != 0 {
		t.Errorf("tensor at address %#x: not aligned to %d", at, Alignment)
	}
	for range 2 {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Verify(context.Background()); !errors.Is(err, ErrClosed) {
		t.Errorf("Verify after Close: %v", err)
	}
}

func TestSlices(t *testing.T) {
	values := []float32{1, -2.5, float32(math.Inf(1)), 0x1p-149}
	b := make([]byte, 128)
	copy(b[64:], unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), 16))
	w, err := FromBytes(b, Layout{Size: 128, HeaderSize: 64, Header: sha256.Sum256(b[:64])})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range w.F32(64, 4) {
		if v != values[i] {
			t.Errorf("F32[%d] = %v, want %v", i, v, values[i])
		}
	}
	if u := w.U16(64, 4); u[1] != 0x3f80 || u[3] != 0xc020 {
		t.Errorf("U16 = %#x", u)
	}
	if w.F32(128, 0) != nil {
		t.Error("an empty slice at the end is not nil")
	}
	for _, c := range []struct {
		offset int64
		count  int
	}{{64, 17}, {32, 1}, {-64, 1}, {128, 1}, {192, 0}, {64, -1}, {64, math.MaxInt}, {math.MaxInt64 - 63, 1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("F32(%d, %d) of 128 bytes did not panic", c.offset, c.count)
				}
			}()
			w.F32(c.offset, c.count)
		}()
	}
}

// TestWrongFile damages a file in every part and expects an error that says what
// is wrong.
func TestWrongFile(t *testing.T) {
	good, want := testFile(640)
	change := func(at int) []byte {
		b := bytes.Clone(good)
		b[at] ^= 1
		return b
	}
	for name, c := range map[string]struct {
		b    []byte
		says string
	}{
		"empty":         {nil, "size is 0 bytes, expected 2048 bytes"},
		"truncated":     {good[:len(good)-1], "size is 2047 bytes, expected 2048 bytes"},
		"longer":        {append(bytes.Clone(good), 0), "size is 2049 bytes"},
		"header":        {change(127), "header digest is sha256:"},
		"first tensor":  {change(128), "digest of tensor embed is sha256:"},
		"middle tensor": {change(128 + 640 + 5), "digest of tensor layer.0 is"},
		"last byte":     {change(len(good) - 1), "digest of tensor head is"},
	} {
		path := write(t, c.b)
		_, err := Open(path, want)
		_, embedded := FromBytes(c.b, want)
		for _, err := range []error{err, embedded} {
			if !errors.Is(err, ErrMismatch) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "run tfgen build again") {
				t.Errorf("%s: %v, want an error with %q", name, err, c.says)
			}
		}
		if err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v does not name the file", name, err)
		}
	}
}

func TestNoFile(t *testing.T) {
	_, want := testFile(64)
	if _, err := Open(filepath.Join(t.TempDir(), "none"), want); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := Open(t.TempDir(), want); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("directory: %v", err)
	}
}

func TestWrongLayout(t *testing.T) {
	b, _ := testFile(640)
	path := write(t, b)
	for _, c := range []func(*Layout){
		func(l *Layout) { l.Size = -1 },
		func(l *Layout) { l.HeaderSize = l.Size + 1 },
		func(l *Layout) { l.HeaderSize = -1 },
		func(l *Layout) { l.Tensors[1].Offset = 64 },
		func(l *Layout) { l.Tensors[1].Offset += 4 },
		func(l *Layout) { l.Tensors[1].Offset = math.MaxInt64 - 63 },
		func(l *Layout) { l.Tensors[1].Size = math.MaxInt64 },
		func(l *Layout) { l.Tensors[2].Size += 64 },
		func(l *Layout) { l.Tensors[2].Size = -1 },
	} {
		_, want := testFile(640)
		c(&want)
		if w, err := Open(path, want); err == nil {
			t.Errorf("layout %+v was accepted", w.layout)
		}
		if w, err := FromBytes(b, want); err == nil {
			t.Errorf("layout %+v was accepted", w.layout)
		}
	}
}

func TestFromBytesAligns(t *testing.T) {
	b, want := testFile(64)
	room := aligned(len(b) + 4)
	for shift := range 5 {
		moved := room[shift:][:len(b)]
		copy(moved, b)
		w, err := FromBytes(moved, want)
		if err != nil {
			t.Fatal(err)
		}
		at := uintptr(unsafe.Pointer(&w.data[0]))
		if at%4 != 0 {
			t.Errorf("shifted by %d: data at %#x", shift, at)
		}
		if copied := at != uintptr(unsafe.Pointer(&moved[0])); copied != (shift%4 != 0) {
			t.Errorf("shifted by %d: copied = %v", shift, copied)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAligned(t *testing.T) {
	for n := range 200 {
		b := aligned(n)
		if at := uintptr(unsafe.Pointer(unsafe.SliceData(b))); len(b) != n || n > 0 && at%Alignment != 0 {
			t.Errorf("aligned(%d): %d bytes at %#x", n, len(b), at)
		}
	}
}

// TestLargeFile opens a file above the limit with a damaged tensor: opening does
// not see it, Verify does.
func TestLargeFile(t *testing.T) {
	const size = 24 << 20
	path := filepath.Join(t.TempDir(), "large.weights")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(128+3*size), f.Close()); err != nil {
		t.Fatal(err)
	}
	zeros := sha256.Sum256(make([]byte, size))
	want := Layout{Size: 128 + 3*size, HeaderSize: 128, Header: sha256.Sum256(make([]byte, 128))}
	for i := range 3 {
		want.Tensors = append(want.Tensors, Tensor{fmt.Sprint("t", i), int64(128 + i*size), size, zeros})
	}
	w, err := Open(path, want)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Verify(context.Background()); err != nil {
		t.Error(err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if err := w.Verify(cancelled); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	want.Tensors[1].SHA256[0] ^= 1
	if w, err = Open(path, want); err != nil {
		t.Fatalf("opening read the tensors: %v", err)
	}
	defer w.Close()
	if err := w.Verify(context.Background()); !errors.Is(err, ErrMismatch) || !strings.Contains(err.Error(), "tensor t1") {
		t.Errorf("damaged tensor: %v", err)
	}
}

func BenchmarkOpen(b *testing.B) {
	data, want := testFile(8 << 20)
	path := write(b, data)
	b.SetBytes(want.Size)
	for b.Loop() {
		w, err := Open(path, want)
		if err != nil {
			b.Fatal(err)
		}
		w.Close()
	}
}
