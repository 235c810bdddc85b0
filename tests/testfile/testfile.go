// Package testfile reads the recorded results that tests compare with.
package testfile

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
)

// Bytes returns the content of a file, unpacked if its name ends with .gz.
func Bytes(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil && strings.HasSuffix(path, ".gz") {
		b, err = unzip(b)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return b
}

func unzip(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// Lines decodes a file with values of JSON one behind the other, packed or not.
func Lines[T any](t testing.TB, path string) (list []T) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(Bytes(t, path)))
	for d.More() {
		var v T
		if err := d.Decode(&v); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		list = append(list, v)
	}
	return list
}
