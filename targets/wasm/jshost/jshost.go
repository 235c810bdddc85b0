// Package jshost runs generated modules with the JavaScript of targets/wasm/js, in Node and in headless Chromium: for tests
// and for `tfgen parity`.
package jshost

import (
	"bufio"
	"embed"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/tfgen/tfgen/gen/emit/wasmemit"
	"github.com/tfgen/tfgen/gen/golden"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/targets/wasm"
	"github.com/tfgen/tfgen/targets/wasm/browser"
)

//go:embed run
var runFiles embed.FS

// ErrNone is returned where an engine is not installed.
var ErrNone = errors.New("not installed")

// asker carries requests to an engine.
type asker interface {
	ask(method string, args any) (json.RawMessage, error)
	Close() error
}

// Engine is a JavaScript engine that runs one model at a time.
type Engine struct {
	asker
	server *http.Server
	base   string
	mu     sync.Mutex
	module []byte
	path   string // of the weights
}

// serve serves the JavaScript and the current model to the engine, on loopback.
func (e *Engine) serve() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/js/", http.FileServerFS(wasm.Sources()))
	mux.Handle("/run/", http.FileServerFS(runFiles))
	mux.HandleFunc("/model/module.wasm", func(w http.ResponseWriter, _ *http.Request) {
		e.mu.Lock()
		defer e.mu.Unlock()
		w.Write(e.module)
	})
	mux.HandleFunc("/model/weights", func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		defer e.mu.Unlock()
		http.ServeFile(w, r, e.path)
	})
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `<!doctype html><link rel="icon" href="data:,"><script type="module">import { ask } from "/run/ask.js"; globalThis.ask = ask;</script>`)
	})
	e.base = "http://" + l.Addr().String() + "/"
	e.server = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
		w.Header().Set("Cross-Origin-Embedder-Policy", "require-corp")
		w.Header().Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})}
	go e.server.Serve(l)
	return nil
}

// Close ends the engine.
func (e *Engine) Close() error {
	return errors.Join(e.asker.Close(), e.server.Close())
}

// Open makes the engine run a module with a weights file. The description is Wide for a module with 64-bit addresses.
func (e *Engine) Open(d *wasmemit.Description, module []byte, weights string, threads int) error {
	e.mu.Lock()
	e.module, e.path = module, weights
	e.mu.Unlock()
	_, err := e.ask("open", map[string]any{"base": e.base + "model/", "description": d, "count": threads})
	return err
}

// Features are what not every engine has: relaxed SIMD, and memories with 64-bit addresses.
type Features struct{ Relaxed, Wide bool }

// Features reports what the engine has.
func (e *Engine) Features() (f Features, err error) {
	data, err := e.ask("features", nil)
	if err == nil {
		err = json.Unmarshal(data, &f)
	}
	return f, err
}

// Lacks says what a variant needs that the engine does not have, "" if it runs.
func (f Features) Lacks(variant string) string {
	switch {
	case strings.HasPrefix(variant, "relaxed") && !f.Relaxed:
		return "relaxed SIMD"
	case strings.HasSuffix(variant, "-64") && !f.Wide:
		return "64-bit memory"
	}
	return ""
}

// Chromium starts headless Chromium.
func Chromium() (*Engine, error) {
	p, err := browser.Start()
	if errors.Is(err, browser.ErrNone) {
		return nil, fmt.Errorf("Chromium is %w", ErrNone)
	}
	if err != nil {
		return nil, err
	}
	e := &Engine{asker: &page{p}}
	err = e.serve()
	if err == nil {
		err = errors.Join(p.Open(e.base), p.Wait("globalThis.ask"))
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return e, nil
}

type page struct{ *browser.Page }

func (p *page) ask(method string, args any) (json.RawMessage, error) {
	var text string
	err := p.Eval(&text, "ask("+browser.Quote(method)+","+browser.Quote(args)+")")
	return json.RawMessage(text), err
}

// process is Node.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	dir string
}

// Node starts Node, version 20 or later.
func Node() (*Engine, error) {
	path, err := exec.LookPath("node")
	if err != nil {
		return nil, fmt.Errorf("Node is %w", ErrNone)
	}
	version, err := exec.Command(path, "-p", "process.versions.node.split('.')[0] >= 20").Output()
	if err != nil || strings.TrimSpace(string(version)) != "true" {
		return nil, fmt.Errorf("Node of version 20 or later is %w", ErrNone)
	}
	dir, err := os.MkdirTemp("", "tfgen-node-")
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(path, filepath.Join(dir, "run", "node.mjs")), dir: dir}
	if err := p.start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	e := &Engine{asker: p}
	return e, e.serve()
}

// start writes the scripts to the directory and starts the process.
func (p *process) start() error {
	for _, files := range []fs.FS{wasm.Sources(), runFiles} {
		if err := os.CopyFS(p.dir, files); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(p.dir, "package.json"), []byte(`{"type":"module"}`), 0o644); err != nil {
		return err
	}
	p.cmd.Stderr = os.Stderr
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	p.out = bufio.NewReaderSize(out, 1<<16)
	return p.cmd.Start()
}

func (p *process) ask(method string, args any) (json.RawMessage, error) {
	data, err := json.Marshal(map[string]any{"method": method, "args": args})
	if err != nil {
		return nil, err
	}
	if _, err := p.in.Write(append(data, '\n')); err != nil {
		return nil, err
	}
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("Node does not answer: %w", err)
	}
	var a struct {
		Result json.RawMessage
		Error  string
	}
	if err := json.Unmarshal(line, &a); err != nil {
		return nil, err
	}
	if a.Error != "" {
		return nil, errors.New(a.Error)
	}
	return a.Result, nil
}

// Close ends the process.
func (p *process) Close() error {
	p.in.Close()
	return errors.Join(p.cmd.Wait(), os.RemoveAll(p.dir))
}

// matrix is a matrix as runner.js sends it.
type matrix struct {
	Rows, Width int
	Data        string
}

func (m *matrix) floats() (*golden.Matrix, error) {
	b, err := base64.StdEncoding.DecodeString(m.Data)
	if err != nil || len(b) != 4*m.Rows*m.Width {
		return nil, fmt.Errorf("%d bytes for %d × %d numbers: %v", len(b), m.Rows, m.Width, err)
	}
	out := &golden.Matrix{Rows: m.Rows, Width: m.Width, Data: make([]float32, m.Rows*m.Width)}
	for i := range out.Data {
		out.Data[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out, nil
}

// segment is a sequence as runner.js takes it.
type segment struct {
	Tokens []int32 `json:"tokens"`
	Types  []int32 `json:"types,omitempty"`
	Global []int32 `json:"global,omitempty"`
	Source []int32 `json:"source,omitempty"`
	Total  int     `json:"total"`
}

// Full implements golden.Runner.
func (e *Engine) Full(segments []op.Segment) (golden.Result, error) {
	var list []segment
	for _, s := range segments {
		list = append(list, segment{s.Tokens, s.Types, s.Global, s.Source, s.Total})
	}
	data, err := e.ask("full", map[string]any{"segments": list})
	if err != nil {
		return nil, err
	}
	var outputs map[string]*matrix
	if err := json.Unmarshal(data, &outputs); err != nil {
		return nil, err
	}
	result := golden.Result{}
	for name, m := range outputs {
		if result[name], err = m.floats(); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// Decode implements golden.Runner.
func (e *Engine) Decode(segment op.Segment, prefill int) ([][]float32, error) {
	data, err := e.ask("decode", map[string]any{"source": segment.Source, "tokens": segment.Tokens, "prefill": prefill})
	if err != nil {
		return nil, err
	}
	var m matrix
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, err
	}
	all, err := m.floats()
	if err != nil {
		return nil, err
	}
	rows := make([][]float32, all.Rows)
	for i := range rows {
		rows[i] = all.Row(i)
	}
	return rows, nil
}

// Timing is how long a continuation took.
type Timing struct{ Prefill, Decode time.Duration }

// Greedy implements golden.Runner.
func (e *Engine) Greedy(tokens []int32, n int) ([]int32, error) {
	return e.Translate(nil, tokens, n)
}

// Translate is Greedy behind a source.
func (e *Engine) Translate(source, tokens []int32, n int) ([]int32, error) {
	ids, _, err := e.timed(source, tokens, n)
	return ids, err
}

// Timed is Greedy with the time it took.
func (e *Engine) Timed(tokens []int32, n int) ([]int32, Timing, error) {
	return e.timed(nil, tokens, n)
}

func (e *Engine) timed(source, tokens []int32, n int) ([]int32, Timing, error) {
	data, err := e.ask("greedy", map[string]any{"source": source, "tokens": tokens, "n": n})
	if err != nil {
		return nil, Timing{}, err
	}
	var g struct {
		IDs             []int32
		Prefill, Decode float64
	}
	err = json.Unmarshal(data, &g)
	ms := func(v float64) time.Duration { return time.Duration(v * float64(time.Millisecond)) }
	return g.IDs, Timing{ms(g.Prefill), ms(g.Decode)}, err
}
