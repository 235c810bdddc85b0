package decoding

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
)

// Values are logits in JSON: numbers, null for -Inf, "inf", "-inf" and "nan".
type Values []float32

// UnmarshalJSON reads a list.
func (v *Values) UnmarshalJSON(text []byte) error {
	var list []any
	if err := json.Unmarshal(text, &list); err != nil {
		return err
	}
	*v = make(Values, len(list))
	for i, x := range list {
		switch x := x.(type) {
		case float64:
			(*v)[i] = float32(x)
		case nil:
			(*v)[i] = float32(math.Inf(-1))
		case string:
			special, ok := map[string]float64{"inf": math.Inf(1), "-inf": math.Inf(-1), "nan": math.NaN()}[x]
			if !ok {
				return fmt.Errorf("%q is no number", x)
			}
			(*v)[i] = float32(special)
		default:
			return fmt.Errorf("%v is no number", x)
		}
	}
	return nil
}

// same reports whether two results agree up to rounding: relative to the value, and absolutely near 0.
func same(got, want []float32, tolerance float64) bool {
	return slices.EqualFunc(got, want, func(x, y float32) bool {
		return x == y || x != x && y != y || math.Abs(float64(x)-float64(y)) <= tolerance*max(1, math.Abs(float64(y)))
	})
}

// difference describes the first place where two results differ.
func difference(got, want []float32, tolerance float64) string {
	if len(got) != len(want) {
		return fmt.Sprintf("%d values, expected %d", len(got), len(want))
	}
	for i := range got {
		if !same(got[i:i+1], want[i:i+1], tolerance) {
			return fmt.Sprintf("token %d is %v, expected %v", i, got[i], want[i])
		}
	}
	return ""
}

// lines calls f with the number and the text of each line of a file, which may be compressed.
func lines(path string, f func(n int, line []byte) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	var r io.Reader = bufio.NewReader(file)
	if head, _ := r.(*bufio.Reader).Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		if r, err = gzip.NewReader(r); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	s := bufio.NewScanner(r)
	s.Buffer(nil, 64<<20)
	n := 0
	for s.Scan() {
		n++
		if len(bytes.TrimSpace(s.Bytes())) == 0 {
			continue
		}
		if err := f(n, s.Bytes()); err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
