package verify

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/tfgen/tfgen/gen/golden"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/runtime/cpu"
	"github.com/tfgen/tfgen/runtime/probe"
)

// harness is the program that all generated cases are linked into. Its working directory is where they were generated.
type harness struct {
	jobs []*job
	o    *Options
}

// command is the program at a CPU level, where it finds the weights.
func (h *harness) command(ctx context.Context, level string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(h.o.Work, "harness"))
	cmd.Dir = h.o.Work
	cmd.Env = append(os.Environ(), cpu.Variable+"="+level)
	return cmd
}

// compile builds the harness in the work directory.
func (h *harness) compile(ctx context.Context) error {
	o := h.o
	var imports, opens strings.Builder
	for _, j := range h.jobs {
		if j.err != nil {
			continue
		}
		fmt.Fprintf(&imports, "\t%q\n", "tfgen.local/verify/"+j.pkg)
		fmt.Fprintf(&opens, "\t\t%q: func() (probe.Model, error) { return %s.NewProbe(%q) },\n", j.pkg, j.pkg, filepath.Join(j.pkg, j.pkg+".weights"))
	}
	main := "package main\n\nimport (\n\t\"log\"\n\t\"os\"\n\n" + imports.String() + "\t\"github.com/tfgen/tfgen/runtime/probe\"\n)\n\n" +
		"func main() {\n\terr := probe.Serve(os.Stdin, os.Stdout, map[string]func() (probe.Model, error){\n" + opens.String() + "\t})\n" +
		"\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n}\n"
	mod := "module tfgen.local/verify\n\ngo 1.26\n\nrequire github.com/tfgen/tfgen v0.0.0\n\nreplace github.com/tfgen/tfgen => " + o.Module + "\n"
	for name, text := range map[string]string{"main.go": main, "go.mod": mod} {
		if err := os.WriteFile(filepath.Join(o.Work, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	o.Progress("compiling %d packages", len(h.jobs))
	cmd := exec.CommandContext(ctx, "go", "build", "-mod=mod", "-o", "harness", ".")
	cmd.Dir = o.Work
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0", "GOPROXY=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("compiling the generated packages: %w\n%s", err, out)
	}
	return nil
}

// level runs the harness with one CPU level and compares all cases.
func (h *harness) level(ctx context.Context, level string) ([]golden.Report, error) {
	h.o.Progress("running %s", level)
	cmd := h.command(ctx, level)
	var log bytes.Buffer
	cmd.Stderr = &log
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	var reports []golden.Report
	link := &link{enc: gob.NewEncoder(in), dec: gob.NewDecoder(out)}
	for _, j := range h.jobs {
		if j.err != nil {
			reports = append(reports, j.report(golden.Failed(j.name, level, j.err)))
			continue
		}
		r := &digest{Runner: &remote{link, j.pkg}, sum: fnv.New32a()}
		report := golden.Summarise(j.c, level, golden.Compare(j.c, r))
		report.Bits = fmt.Sprintf("%08x", r.sum.Sum32())
		h.o.Progress("%s %s: %.2g of the tolerance, bits %s %s", level, j.name, report.Share, report.Bits, report.Error)
		reports = append(reports, j.report(report))
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("the generated code at level %s: %w\n%s", level, err, log.String())
	}
	return reports, nil
}

// link is the connection with the harness.
type link struct {
	enc *gob.Encoder
	dec *gob.Decoder
}

// remote is the golden.Runner of one package in the harness.
type remote struct {
	link *link
	pkg  string
}

func (r *remote) ask(q probe.Request) (probe.Reply, error) {
	q.Model = r.pkg
	var a probe.Reply
	if err := r.link.enc.Encode(q); err != nil {
		return a, fmt.Errorf("the generated program ended: %w", err)
	}
	if err := r.link.dec.Decode(&a); err != nil {
		if err == io.EOF {
			err = errors.New("the generated program ended")
		}
		return a, err
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	return a, nil
}

// Full implements golden.Runner.
func (r *remote) Full(segments []op.Segment) (golden.Result, error) {
	var q probe.Request
	for _, s := range segments {
		q.Sequences = append(q.Sequences, probe.Sequence{Tokens: s.Tokens, Types: s.Types, Global: s.Global, Source: s.Source})
	}
	a, err := r.ask(q)
	if err != nil {
		return nil, err
	}
	result := golden.Result{}
	for name, rows := range a.Rows {
		m := &golden.Matrix{Rows: len(rows)}
		for _, row := range rows {
			m.Width = len(row)
			m.Data = append(m.Data, row...)
		}
		result[name] = m
	}
	return result, nil
}

// Decode implements golden.Runner.
func (r *remote) Decode(s op.Segment, prefill int) ([][]float32, error) {
	a, err := r.ask(probe.Request{Sequences: []probe.Sequence{{Tokens: s.Tokens, Source: s.Source}}, Prefill: prefill})
	return a.Rows["decode/logits"], err
}

// Greedy implements golden.Runner.
func (r *remote) Greedy(tokens []int32, n int) ([]int32, error) {
	a, err := r.ask(probe.Request{Sequences: []probe.Sequence{{Tokens: tokens}}, Greedy: n})
	return a.Tokens, err
}
