package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tfgen/tfgen/gen/checkpoint"
	"github.com/tfgen/tfgen/gen/spec"
	"github.com/tfgen/tfgen/runtime/flags"
)

const runHelp = `usage: tfgen run MODEL [SPEC.yaml] [program arguments]

Builds the model's program once, into a cache named by the content of the checkpoint and of the specification, and runs
it. The arguments go to the program:

  tfgen run MODEL -p 'Once upon a time' -n 64      continue a prompt
  tfgen run MODEL embed 'a text' 'another'         embed texts
  tfgen run MODEL help                             what the program can do

TFGEN_CACHE names another cache directory, TFGEN_WEIGHTS another weight format than f32 (source: what the checkpoint stores),
TFGEN_TUNING a table of tfgen tune.
`

// runRun is the run command.
func runRun(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		fmt.Fprint(stderr, runHelp)
		return errUsage
	}
	if flags.IsHelp(args[0]) {
		fmt.Fprint(stderr, runHelp)
		return flag.ErrHelp
	}
	if strings.HasPrefix(args[0], "-") {
		fmt.Fprintf(stderr, "tfgen run: expected a model before %s; `tfgen run -h` explains it\n", args[0])
		return errUsage
	}
	o := &buildOptions{model: args[0], vendor: true}
	rest := args[1:]
	if len(rest) > 0 && strings.HasSuffix(rest[0], ".yaml") {
		o.spec, rest = rest[0], rest[1:]
	}
	o.Program, o.Weights = true, os.Getenv("TFGEN_WEIGHTS")
	o.tuning = os.Getenv("TFGEN_TUNING")
	o.defaults()
	binary, err := cached(ctx, o, stderr)
	if err != nil {
		return err
	}
	if len(rest) > 0 && strings.HasPrefix(rest[0], "-") && !flags.IsHelp(rest[0]) {
		rest = append([]string{"generate"}, rest...)
	}
	cmd := exec.CommandContext(ctx, binary, rest...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, stdout, stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exitStatus(exit.ExitCode())
	}
	return err
}

// exitStatus is the status of a program that has said itself what went wrong.
type exitStatus int

// Error names the status.
func (s exitStatus) Error() string { return fmt.Sprintf("the program ended with status %d", int(s)) }

// cached returns the program of a model, which it builds if it is not in the cache.
func cached(ctx context.Context, o *buildOptions, stderr io.Writer) (string, error) {
	key, err := cacheKey(o)
	if err != nil {
		return "", err
	}
	root := os.Getenv("TFGEN_CACHE")
	if root == "" {
		if root, err = os.UserCacheDir(); err != nil {
			return "", err
		}
		root = filepath.Join(root, "tfgen")
	}
	o.dir, o.module = filepath.Join(root, key, o.Package), "tfgen.local/"+o.Package
	binary := filepath.Join(o.dir, o.Package)
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	out, err := newOutput(&targets[0], o, o.dir)
	if err != nil {
		return "", err
	}
	b, closeModel, err := prepare(o, out.backend)
	if err != nil {
		return "", err
	}
	defer closeModel()
	fmt.Fprintf(stderr, "building %s\n", o.Title)
	noteExpansion(b, "TFGEN_WEIGHTS=source", stderr)
	c := &compiled{Bundle: b}
	if err := out.write(ctx, b, func(path string) error { return c.putWeights(ctx, path, newProgress(stderr, false)) }); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary+".new", "./cmd/"+o.Package)
	cmd.Dir = o.dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("compiling %s: %w\n%s", o.dir, err, out)
	}
	return binary, os.Rename(binary+".new", binary)
}

// cacheKey is the digest of all that determines a program: checkpoint, specification, options and tfgen itself.
func cacheKey(o *buildOptions) (string, error) {
	c, err := checkpoint.Open(o.model)
	if err != nil {
		return "", err
	}
	defer c.Close()
	digest, err := c.Digest()
	if err != nil {
		return "", err
	}
	parts := []string{digest, o.Package, o.Title, o.Weights, o.KV, fmt.Sprint(o.Context), selfDigest()}
	if o.spec != "" {
		s, err := spec.Load(o.spec)
		if err != nil {
			return "", err
		}
		parts = append(parts, s.Digest)
	}
	t, err := loadTuning(o.tuning)
	if err != nil {
		return "", err
	}
	if t != nil {
		parts = append(parts, string(t.Format()))
	}
	sum := sha256.Sum256([]byte(strings.Join(slices.Clip(parts), "\n")))
	return fmt.Sprintf("%x", sum[:12]), nil
}

// selfDigest identifies this build of tfgen by the content of its executable.
func selfDigest() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return ""
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}
