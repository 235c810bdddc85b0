package main

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/tfgen/tfgen/gen/bundle"
	"github.com/tfgen/tfgen/gen/emit/cemit"
	"github.com/tfgen/tfgen/gen/emit/pyemit"
	"github.com/tfgen/tfgen/gen/file"
)

// pythonWeights is where the weights of a Python package lie.
func pythonWeights(pkg string) string { return pkg + "/" + pkg + ".weights" }

// pythonFiles are the files of a Python package before its library is compiled.
func pythonFiles(o *output, b *bundle.Bundle) ([]file.File, error) {
	c := cModel(o, b)
	sources, err := cSources(o, b, c)
	if err != nil {
		return nil, err
	}
	make, err := cemit.Makefile(c)
	if err != nil {
		return nil, err
	}
	m := &pyemit.Model{
		Package: c.Package, Title: c.Title, Architecture: c.Architecture, Format: c.Format, Version: libraryVersion, Parameters: c.Parameters,
		Causal: c.Causal, Encodes: c.Encodes, Tokens: c.Tokens, Chat: c.Chat, Embedded: c.Embedded,
		Embeds: c.Tokens && c.EmbeddingSize() > 0, Classifies: c.Tokens && c.Classes() > 0, Ranks: c.Ranks,
	}
	for _, out := range c.Outputs {
		if out.ByToken {
			m.ByToken = append(m.ByToken, out.Name)
		}
	}
	files, err := pyemit.Files(m)
	return append(files, subdirectory("src", append(sources, make))...), err
}

// pythonBuild compiles the library in dir and packs the wheel.
func pythonBuild(ctx context.Context, o *output, dir string) error {
	if err := needTools("python", "make", compiler()); err != nil {
		return err
	}
	pkg := o.options.Package
	if err := embedWeights(o, dir); err != nil {
		return err
	}
	if err := runTool(ctx, filepath.Join(dir, "src"), "make", "--no-print-directory", "OLD=1", "OUT=../"+pkg, "../"+pkg+"/lib"+pkg+".so"); err != nil {
		return err
	}
	tag, err := platformTag(filepath.Join(dir, pkg, "lib"+pkg+".so"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "dist"), 0o755); err != nil {
		return err
	}
	return writeWheel(o, dir, tag)
}

// machines are the names of processors in tags of wheels.
var machines = map[string]string{"amd64": "x86_64", "arm64": "aarch64"}

// packedRelocations is what a library asks for whose relocations are packed, as the loader of glibc 2.36 and later reads them.
const packedRelocations = "GLIBC_ABI_DT_RELR"

// systemLibraries are those that every system with glibc has, and that wheels may ask for.
var systemLibraries = []string{"libc.so.6", "libpthread.so.0", "libm.so.6", "libdl.so.2", "librt.so.1"}

// platformTag is the tag of wheels with a library: manylinux with the newest glibc that it asks for (PEP 600), or linux if it asks
// for what not every system has.
func platformTag(library string) (string, error) {
	f, err := elf.Open(library)
	if err != nil {
		return "", err
	}
	defer f.Close()
	machine := machines[runtime.GOARCH]
	if machine == "" {
		machine = runtime.GOARCH
	}
	libraries, err := f.ImportedLibraries()
	if err != nil {
		return "", err
	}
	for _, name := range libraries {
		if !slices.Contains(systemLibraries, name) {
			return "linux_" + machine, nil
		}
	}
	minor, err := glibcMinor(f)
	if err != nil {
		return "", err
	}
	tag := fmt.Sprintf("manylinux_2_%d_%s", minor, machine)
	if minor == oldestGlibc {
		tag += ".manylinux2014_" + machine // as older versions of pip call it
	}
	return tag, nil
}

// oldestGlibc is the glibc of the oldest tag that wheels are given: 2.17.
const oldestGlibc = 17

// glibcMinor is the number behind "2." of the newest glibc that a library asks for, at least oldestGlibc.
func glibcMinor(f *elf.File) (int, error) {
	needs, err := f.DynamicVersionNeeds()
	minor := oldestGlibc
	for _, n := range needs {
		for _, v := range n.Needs {
			var m int
			if _, err := fmt.Sscanf(v.Dep, "GLIBC_2.%d", &m); err == nil {
				minor = max(minor, m)
			}
			if v.Dep == packedRelocations {
				minor = max(minor, 36)
			}
		}
	}
	return minor, err
}

// wheel is a wheel that is being written.
type wheel struct {
	without string // weights that the library holds
	zip     *zip.Writer
	record  strings.Builder
}

// writeWheel packs the package directory into dist/, as the wheel specification says (PEP 427).
func writeWheel(o *output, dir, tag string) (err error) {
	pkg, title := o.options.Package, o.options.Title
	name := fmt.Sprintf("%s-%s-py3-none-%s.whl", pkg, libraryVersion, tag)
	out, err := os.Create(filepath.Join(dir, "dist", name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	w := &wheel{zip: zip.NewWriter(out)}
	if o.options.Embed {
		w.without = o.weightsName()
	}
	if err := w.addTree(dir, pkg); err != nil {
		return err
	}
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		return err
	}
	info := fmt.Sprintf("%s-%s.dist-info/", pkg, libraryVersion)
	metadata := fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: %s\nSummary: %s, a language model compiled by tfgen\nRequires-Python: >=3.8\n"+
		"Requires-Dist: numpy>=1.20\nDescription-Content-Type: text/markdown\n\n%s", pkg, libraryVersion, oneLine(title), readme)
	kind := "Wheel-Version: 1.0\nGenerator: tfgen\nRoot-Is-Purelib: false\n"
	for _, platform := range strings.Split(tag, ".") {
		kind += fmt.Sprintf("Tag: py3-none-%s\n", platform)
	}
	for _, f := range []struct{ name, text string }{{"METADATA", metadata}, {"WHEEL", kind}, {"top_level.txt", pkg + "\n"}} {
		if err := w.add(info+f.name, strings.NewReader(f.text)); err != nil {
			return err
		}
	}
	w.record.WriteString(info + "RECORD,,\n")
	if err := w.add(info+"RECORD", strings.NewReader(w.record.String())); err != nil {
		return err
	}
	return w.zip.Close()
}

// oneLine keeps a title from ending its header.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// addTree adds all files of a directory of the bundle.
func (w *wheel) addTree(dir, pkg string) error {
	return filepath.WalkDir(filepath.Join(dir, pkg), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil || rel == w.without {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		return w.add(filepath.ToSlash(rel), f)
	})
}

// add adds a file and its line of the record. Weights are stored as they are: they do not shrink.
func (w *wheel) add(name string, r io.Reader) error {
	header := &zip.FileHeader{Name: name, Method: zip.Deflate}
	if strings.HasSuffix(name, ".weights") {
		header.Method = zip.Store
	}
	header.SetMode(0o644)
	f, err := w.zip.CreateHeader(header)
	if err != nil {
		return err
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, h), r)
	fmt.Fprintf(&w.record, "%s,sha256=%s,%d\n", name, base64.RawURLEncoding.EncodeToString(h.Sum(nil)), n)
	return err
}
