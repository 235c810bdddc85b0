package weightfile

import (
	"bytes"
	"errors"
	"os"
	"testing"
)

// keptFile is testFile with its last tensor kept, which begins at no page.
func keptFile(size int) ([]byte, Layout) {
	b, want := testFile(size)
	want.Kept = &Kept{Tensor: want.Tensors[2], Count: size - 5}
	return b, want
}

func TestKeptOutlivesTheFile(t *testing.T) {
	b, want := keptFile(6400)
	path := write(t, b)
	w, err := Open(path, want)
	if err != nil {
		t.Fatal(err)
	}
	first := want.Kept.Bytes()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, b[128+2*6400:][:6395]) {
		t.Error("the kept tensor differs")
	}
	again, err := Open(write(t, b), want)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if second := want.Kept.Bytes(); &second[0] != &first[0] {
		t.Error("the second file maps the kept tensor again")
	}
}

// TestKeptIsVerified changes the kept tensor of a file that is too large to be verified as a whole when it is opened.
func TestKeptIsVerified(t *testing.T) {
	data, want := keptFile(640)
	hole := int64(eager)
	want.Size += hole
	want.Kept.Offset += hole
	want.Tensors[1].Size += hole
	want.Tensors[2].Offset += hole
	sparse := func(last []byte) string {
		path := write(t, data[:128])
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteAt(last, want.Kept.Offset); err != nil {
			t.Fatal(err)
		}
		return path
	}
	last := data[128+2*640:]
	changed := bytes.Clone(last)
	changed[100] ^= 1
	if _, err := Open(sparse(changed), want); !errors.Is(err, ErrMismatch) {
		t.Fatalf("a changed kept tensor: %v", err)
	}
	w, err := Open(sparse(last), want)
	if err != nil {
		t.Fatalf("the good file after the changed one: %v", err)
	}
	defer w.Close()
	if !bytes.Equal(want.Kept.Bytes(), last[:635]) {
		t.Error("the kept tensor differs")
	}
}

func TestKeptInMemory(t *testing.T) {
	b, want := keptFile(640)
	if _, err := FromBytes(b, want); err != nil {
		t.Fatal(err)
	}
	if got := want.Kept.Bytes(); !bytes.Equal(got, b[128+2*640:][:635]) {
		t.Error("the kept tensor differs")
	}
}

func TestKeptOutsideOfTheFile(t *testing.T) {
	for _, change := range []func(k *Kept){func(k *Kept) { k.Count = 641 }, func(k *Kept) { k.Count = -1 }, func(k *Kept) { k.Offset += 64 }} {
		b, want := keptFile(640)
		change(want.Kept)
		if _, err := FromBytes(b, want); err == nil {
			t.Errorf("%+v was accepted", want.Kept.Tensor)
		}
	}
}
