package synth

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/checkpoint"
	"github.com/tfgen/tfgen/gen/checkpoint/dtype"
	"github.com/tfgen/tfgen/gen/checkpoint/safetensors"
)

// numpy are the names that the checksums have for formats.
var numpy = map[dtype.DType]string{dtype.F32: "float32", dtype.Bool: "bool", dtype.I64: "int64"}

// sum hashes name, format, shape and bytes of every tensor as written to a safetensors file.
func sum(t *testing.T, s *Source) string {
	t.Helper()
	var b bytes.Buffer
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	r := bytes.NewReader(b.Bytes())
	header, err := safetensors.Read(r, r.Size(), "model.safetensors", 10_000)
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	for _, x := range header.Tensors {
		fmt.Fprintf(h, "%s %s [%s]\n", x.Name, numpy[x.DType], strings.ReplaceAll(strings.Trim(fmt.Sprint(x.Shape), "[]"), " ", ", "))
		h.Write(b.Bytes()[x.Offset:][:x.Size])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// checksums reads the table of what synth.py generates for each golden case.
func checksums(t *testing.T) map[string]string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "sums.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sums := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, sum, _ := strings.Cut(lines.Text(), " ")
		sums[name] = sum
	}
	return sums
}

// TestChecksums generates cases with every kind of row: scalars, booleans, integers, copies.
func TestChecksums(t *testing.T) {
	sums := checksums(t)
	for _, name := range []string{"pythia", "falcon-mqa", "bert-token-classification"} {
		s, err := Load(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if got := sum(t, s); got != sums[name] {
			t.Errorf("%s: checksum %s, synth.py gives %s", name, got, sums[name])
		}
	}
}

// TestChecksumsAll generates every golden case.
func TestChecksumsAll(t *testing.T) {
	shared := os.Getenv("TFGEN_SHARED")
	if shared == "" {
		t.Skip("TFGEN_SHARED is not set")
	}
	for name, want := range checksums(t) {
		s, err := Load(filepath.Join(shared, "golden", "hf", name))
		if err != nil {
			t.Error(err)
			continue
		}
		if got := sum(t, s); got != want {
			t.Errorf("%s: checksum %s, synth.py gives %s", name, got, want)
		}
	}
}

// TestWriteDir writes a case as a directory and finds the same values there.
func TestWriteDir(t *testing.T) {
	dir := t.TempDir()
	synthetic, err := Open(filepath.Join("testdata", "pythia"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Load(filepath.Join("testdata", "pythia"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.WriteDir(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	written, err := checkpoint.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer written.Close()
	if synthetic.Config()["model_type"] != "gpt_neox" {
		t.Errorf("model_type is %v", synthetic.Config()["model_type"])
	}
	if len(synthetic.Tensors()) != len(written.Tensors()) {
		t.Fatalf("%d tensors generated, %d written", len(synthetic.Tensors()), len(written.Tensors()))
	}
	for _, x := range synthetic.Tensors() {
		rows, values := x.Row()
		first := rows / 2
		a, b := make([]float32, (rows-first)*values), make([]float32, (rows-first)*values)
		if err := synthetic.ReadF32(x.Name, first, rows-first, a); err != nil {
			t.Fatal(err)
		}
		if err := written.ReadF32(x.Name, first, rows-first, b); err != nil {
			t.Fatal(err)
		}
		for i := range a {
			if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
				t.Fatalf("%s: element %d after row %d is %v generated, %v written", x.Name, i, first, a[i], b[i])
			}
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ name, weights, want string }{
		{"empty", `{}`, "seed and tensors are expected"},
		{"no JSON", `{`, "unexpected end"},
		{"copy of nothing", `{"seed": 1, "tensors": {"a": "b"}}`, `a copy of "b", which does not exist`},
		{"copy in a circle", `{"seed": 1, "tensors": {"a": "b", "b": "a"}}`, "a copy of itself"},
		{"short row", `{"seed": 1, "tensors": {"a": [[2]]}}`, "2 or 3 parts, found 1"},
		{"unknown kind", `{"seed": 1, "tensors": {"a": [[2], "int8"]}}`, "neither"},
		{"bad mean", `{"seed": 1, "tensors": {"a": [[2], "x", 1]}}`, "cannot unmarshal"},
		{"negative shape", `{"seed": 1, "tensors": {"a": [[-2], 0, 1]}}`, "negative dimension"},
		{"huge shape", `{"seed": 1, "tensors": {"a": [[4294967296, 4294967296], 0, 1]}}`, "more elements than can be addressed"},
	} {
		if _, err := Parse([]byte(c.weights)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, expected %q", c.name, err, c.want)
		}
	}
}

func TestReadErrors(t *testing.T) {
	s, err := Parse([]byte(`{"seed": 1, "tensors": {"a": [[2, 3], 0, 1]}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name               string
		first, count, room int
		want               string
	}{
		{"b", 0, 1, 3, "no tensor"}, {"a", 1, 2, 6, "do not exist"}, {"a", -1, 1, 3, "do not exist"}, {"a", 0, 1, 2, "room for 2"},
	} {
		if err := s.ReadF32(c.name, c.first, c.count, make([]float32, c.room)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %d+%d: error %v, expected %q", c.name, c.first, c.count, err, c.want)
		}
	}
}
