package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tfgen/tfgen/gen/bundle"
)

// check compares the directory with what a build would write. What tools make of the files is not compared.
func (o *output) check(b *bundle.Bundle) error {
	files, err := o.content(b)
	if err != nil {
		return err
	}
	var problems []string
	want := map[string]bool{o.weightsName(): true, o.mark: true}
	for _, f := range files {
		want[filepath.FromSlash(f.Name)] = true
		have, err := os.ReadFile(filepath.Join(o.dir, filepath.FromSlash(f.Name)))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			problems = append(problems, "missing "+f.Name)
		case err != nil:
			return err
		case !bytes.Equal(have, f.Data):
			problems = append(problems, "stale   "+f.Name)
		}
	}
	problems = append(problems, o.weightsProblem(b)...)
	if o.finish == nil {
		problems = append(problems, o.orphans(want)...)
	}
	if len(problems) > 0 {
		return fmt.Errorf("%s is not up to date; run tfgen build again:\n  %s", o.dir, strings.Join(problems, "\n  "))
	}
	return nil
}

// digestWeights packs the weights to learn their digests and keeps nothing.
func digestWeights(ctx context.Context, b *bundle.Bundle) error {
	temp, err := os.CreateTemp("", "tfgen-check-")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	defer temp.Close()
	return b.WriteWeights(ctx, temp, nil)
}

// weightsProblem compares the header of the weights file, which holds the digests of all tensors, and its size.
func (o *output) weightsProblem(b *bundle.Bundle) []string {
	size, header, digest := b.WeightsLayout()
	f, err := os.Open(filepath.Join(o.dir, o.weightsName()))
	if err != nil {
		return []string{"missing " + o.weightsName()}
	}
	defer f.Close()
	info, err := f.Stat()
	head := make([]byte, header)
	if _, rerr := f.ReadAt(head, 0); err != nil || rerr != nil || info.Size() != size || sha256.Sum256(head) != digest {
		return []string{"stale   " + o.weightsName()}
	}
	return nil
}

// orphans are generated files that a build would not write any more.
func (o *output) orphans(want map[string]bool) []string {
	var list []string
	ours := o.ours(o.dir)
	filepath.WalkDir(o.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if rel, err := filepath.Rel(o.dir, path); err == nil && !want[rel] && rel != "go.sum" && ours(rel) {
			list = append(list, "orphan  "+rel)
		}
		return nil
	})
	return list
}
