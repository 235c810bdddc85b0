package checkpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Digest returns the SHA-256, in hexadecimal, over what determines a compiled model: the kind of checkpoint, the
// weights, and of a directory every file that describes the model or its tokenizer. It reads all files once.
func (c *Checkpoint) Digest() (string, error) {
	inner, err := c.tensors.Digest()
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n", c.kind, inner)
	return hex.EncodeToString(h.Sum(nil)), nil
}

// describing are the patterns of files beside the weights that go into the digest.
var describing = []string{"*.json", "*.txt", "*.model", "*.jinja", "*.tiktoken", "*/*.json", "*/*.jinja"}

// names returns the base names of the open files, sorted.
func (f *files) names() []string { return slices.Sorted(maps.Keys(f.open)) }

// hashDirectory hashes weights and describing files of a folder with their names.
func hashDirectory(dir string, weights []string) (string, error) {
	set := map[string]bool{}
	for _, name := range weights {
		set[name] = true
	}
	for _, pattern := range describing {
		found, err := fs.Glob(os.DirFS(dir), pattern)
		if err != nil {
			return "", err
		}
		for _, name := range found {
			if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode().IsRegular() {
				set[name] = true
			}
		}
	}
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(set)) {
		sum, err := hashFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%q %s\n", name, sum)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// hashFile returns the SHA-256 of a file.
func hashFile(path string) (string, error) {
	f, _, err := openFile(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if err := copyAll(h, f); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// copyAll feeds r to h in large pieces.
func copyAll(h hash.Hash, r io.Reader) error {
	buf := chunks.Get().(*[chunk]byte)
	defer chunks.Put(buf)
	_, err := io.CopyBuffer(h, struct{ io.Reader }{r}, buf[:])
	return err
}
