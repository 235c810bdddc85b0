package main

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tfgen/tfgen/gen/golden"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/targets/wasm"
	"github.com/tfgen/tfgen/targets/wasm/host"
	"github.com/tfgen/tfgen/targets/wasm/jshost"
)

// wasmParity runs the modules with wazero, in Node and in headless Chromium, each the variants that it can run.
func wasmParity(ctx context.Context, j *parityJob, o *output) {
	m := &wasmRun{job: j, out: o}
	data, err := os.ReadFile(filepath.Join(o.dir, "model.json"))
	if err == nil {
		err = json.Unmarshal(data, &m.manifest)
	}
	if err != nil {
		j.skip(o.target, "", err.Error())
		return
	}
	for _, variant := range slices.Sorted(maps.Keys(m.manifest.Variants)) {
		if !strings.HasPrefix(variant, "relaxed") && !strings.HasSuffix(variant, "-64") { // wazero has neither
			m.wazero(ctx, variant, variantThreads(variant))
		}
	}
	m.engine("Node", jshost.Node)
	m.engine("Chromium", jshost.Chromium)
}

// wasmRun is a package whose modules are run.
type wasmRun struct {
	job      *parityJob
	out      *output
	manifest wasm.Manifest
}

// module reads the module of a variant; a failure is a row.
func (m *wasmRun) module(variant string) ([]byte, bool) {
	data, err := os.ReadFile(filepath.Join(m.out.dir, m.manifest.Variants[variant].File))
	if err != nil {
		m.job.skip(m.out.target, variant, err.Error())
	}
	return data, err == nil
}

// wazero runs a variant in this process.
func (m *wasmRun) wazero(ctx context.Context, variant string, threads int) {
	module, ok := m.module(variant)
	if !ok {
		return
	}
	weights, err := os.Open(filepath.Join(m.out.dir, m.out.weightsName()))
	if err == nil {
		defer weights.Close()
		var h *host.Model
		h, err = host.Open(ctx, m.manifest.Model, host.Options{Module: module, Weights: weights, Size: m.manifest.Weights.Bytes, Threads: threads,
			Shared: strings.Contains(variant, "threads"), State: host.StateBytes(m.manifest.Model, max(len(m.job.ids)+m.job.greedy, len(m.job.source)))})
		if err == nil {
			defer h.Close()
			m.compare(variant, "wazero", module, h)
			return
		}
	}
	m.job.skip(m.out.target, variant, err.Error())
}

// engine runs all variants that a JavaScript engine has.
func (m *wasmRun) engine(name string, start func() (*jshost.Engine, error)) {
	e, err := start()
	if err != nil {
		m.job.skip(m.out.target, name, err.Error())
		return
	}
	defer e.Close()
	can, err := e.Features()
	if err != nil {
		m.job.skip(m.out.target, name, err.Error())
		return
	}
	for _, variant := range slices.Sorted(maps.Keys(m.manifest.Variants)) {
		if what := can.Lacks(variant); what != "" {
			m.job.skip(m.out.target, variant, name+" has no "+what)
			continue
		}
		module, ok := m.module(variant)
		if !ok {
			continue
		}
		d := *m.manifest.Model
		d.Wide = strings.HasSuffix(variant, "-64")
		if err := e.Open(&d, module, filepath.Join(m.out.dir, m.out.weightsName()), variantThreads(variant)); err != nil {
			m.job.skip(m.out.target, variant, name+": "+err.Error())
			continue
		}
		m.compare(variant, name, module, e)
	}
}

// variantThreads is the number of threads that a variant is run with.
func variantThreads(variant string) int {
	if strings.Contains(variant, "threads") {
		return 2
	}
	return 1
}

// translator is a runner that continues tokens behind a source.
type translator interface {
	golden.Runner
	Translate(source, tokens []int32, n int) ([]int32, error)
}

// compare adds the row of a variant: all outputs of the input, and the greedy continuation, whose time counts.
func (m *wasmRun) compare(variant, where string, module []byte, r translator) {
	j := m.job
	begin := time.Now()
	result, err := r.Full([]op.Segment{{Tokens: j.ids, Source: j.source, Total: len(j.ids)}})
	a := &parityAnswer{seconds: time.Since(begin).Seconds()}
	for _, name := range j.names {
		var values []float32
		if rows := result[name]; rows != nil {
			values = rows.Data
		}
		a.values = append(a.values, values)
	}
	if err == nil && j.causal {
		begin = time.Now()
		a.tokens, err = r.Translate(j.source, j.ids, j.greedy)
		a.seconds = time.Since(begin).Seconds()
	}
	if err != nil {
		j.skip(m.out.target, variant, where+": "+err.Error())
		return
	}
	j.add(parityRow{Target: m.out.name, Variant: variant, Where: where, Bytes: int64(len(module))}, a)
}
