package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"text/template"

	"github.com/tfgen/tfgen"
	"github.com/tfgen/tfgen/runtime/cpu"
)

// drive runs a driver program in a process of its own and adds its row.
func (j *parityJob) drive(ctx context.Context, r parityRow, t *target, env []string, name string, args ...string) {
	answer := filepath.Join(j.work, "answer")
	defer os.Remove(answer)
	args = append(args, answer, fmt.Sprint(j.greedy), commas(j.ids), commas(j.source))
	cmd := exec.CommandContext(ctx, name, append(args, j.names...)...)
	cmd.Env = append(os.Environ(), env...)
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Run(); err != nil {
		j.skip(t, r.Variant, fmt.Sprintf("%v: %s", err, lastLine(log.String())))
		return
	}
	a, err := j.read(answer)
	if err != nil {
		j.skip(t, r.Variant, err.Error())
		return
	}
	j.add(r, a)
}

// commas writes token ids for a driver.
func commas(ids []int32) string {
	var list []string
	for _, id := range ids {
		list = append(list, fmt.Sprint(id))
	}
	return strings.Join(list, ",")
}

// lastLine is the last line of a program's complaint: its error.
func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

// read reads an answer file.
func (j *parityJob) read(path string) (*parityAnswer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	a := &parityAnswer{}
	for range j.names {
		values, err := readList[float32](f, info.Size())
		if err != nil {
			return nil, err
		}
		a.values = append(a.values, values)
	}
	if a.tokens, err = readList[int32](f, info.Size()); err != nil {
		return nil, err
	}
	return a, binary.Read(f, binary.LittleEndian, &a.seconds)
}

// readList reads a list behind its length.
func readList[T any](r io.Reader, size int64) ([]T, error) {
	var n uint64
	if err := binary.Read(r, binary.LittleEndian, &n); err != nil {
		return nil, err
	}
	if n > uint64(size) {
		return nil, fmt.Errorf("an answer of %d values in %d bytes", n, size)
	}
	values := make([]T, n)
	return values, binary.Read(r, binary.LittleEndian, values)
}

// native names the machine.
func native() string { return "native " + runtime.GOOS + "/" + runtime.GOARCH }

// fileSize is the size of a file, 0 if there is none.
func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// goParity runs the Go package at every CPU level of this machine, the best first.
func goParity(ctx context.Context, j *parityJob, o *output) {
	text, err := tfgen.Targets.ReadFile("templates/parity/main.go.tmpl")
	if err != nil {
		j.skip(o.target, "", err.Error())
		return
	}
	var main bytes.Buffer
	parsed, err := template.New("main").Parse(string(text))
	if err == nil {
		err = parsed.Execute(&main, map[string]any{"ImportPath": o.importPath, "Runtime": o.importPath + "/" + vendorDir, "Causal": j.causal, "Encodes": j.source != nil})
	}
	dir := filepath.Join(o.dir, "parity")
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "main.go"), main.Bytes(), 0o644)
	}
	program := filepath.Join(o.dir, "parity.program")
	if err == nil {
		err = runTool(ctx, o.dir, "env", "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOPROXY=off", "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "./parity")
	}
	if err != nil {
		j.skip(o.target, "", err.Error())
		return
	}
	levels := cpu.Available()
	for i := len(levels) - 1; i >= 0; i-- {
		level := levels[i].String()
		row := parityRow{Target: o.name, Variant: level, Where: native(), Bytes: fileSize(program)}
		j.drive(ctx, row, o.target, []string{cpu.Variable + "=" + level}, program, filepath.Join(o.dir, o.weightsName()))
	}
}

// writeDriver writes a driver that tfgen carries into a directory.
func writeDriver(dir, name string) (string, error) {
	text, err := tfgen.Targets.ReadFile("templates/parity/" + name)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, text, 0o644)
}

// cParity runs programs linked with the shared library and with the archive.
func cParity(ctx context.Context, j *parityJob, o *output) {
	source, err := writeDriver(o.dir, "parity.c")
	if err != nil {
		j.skip(o.target, "", err.Error())
		return
	}
	lib, pkg := filepath.Join(o.dir, "lib"), o.options.Package
	for _, v := range []struct {
		variant, library string
		link             []string
	}{
		{"shared", "lib" + pkg + ".so", []string{"-L" + lib, "-Wl,-rpath," + lib, "-l" + pkg}},
		{"static", "lib" + pkg + ".a", []string{filepath.Join(lib, "lib"+pkg+".a"), "-pthread"}},
	} {
		program := filepath.Join(o.dir, "parity."+v.variant)
		args := append([]string{"-std=c11", "-O1", source, "-o", program, "-I" + filepath.Join(o.dir, "include")}, v.link...)
		if err := runTool(ctx, o.dir, compiler(), args...); err != nil {
			j.skip(o.target, v.variant, err.Error())
			continue
		}
		row := parityRow{Target: o.name, Variant: v.variant, Where: native(), Bytes: fileSize(filepath.Join(lib, v.library))}
		j.drive(ctx, row, o.target, nil, program, filepath.Join(o.dir, o.weightsName()))
	}
}

// pythonParity runs the package with the Python that $PYTHON names, python3 without it.
func pythonParity(ctx context.Context, j *parityJob, o *output) {
	python := os.Getenv("PYTHON")
	if python == "" {
		python = "python3"
	}
	version, err := exec.CommandContext(ctx, python, "-c", "import numpy, platform; print(platform.python_version())").Output()
	if err != nil {
		j.skip(o.target, "ctypes", python+" with numpy is not installed; PYTHON names another one")
		return
	}
	driver, err := writeDriver(o.dir, "parity.py")
	if err != nil {
		j.skip(o.target, "ctypes", err.Error())
		return
	}
	pkg := o.options.Package
	row := parityRow{Target: o.name, Variant: "ctypes", Where: "CPython " + strings.TrimSpace(string(version)),
		Bytes: fileSize(filepath.Join(o.dir, pkg, "lib"+pkg+".so"))}
	j.drive(ctx, row, o.target, []string{"PYTHONPATH=" + o.dir}, python, driver, pkg, filepath.Join(o.dir, o.weightsName()))
}
