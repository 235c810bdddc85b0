package wasmemit

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/ir"
)

// regions emits one function a region, in order.
func (e *emitter) regions() (list []*wasm.Func, err error) {
	if e.Threads {
		e.emitBarrier()
	}
	trace := e.memory.Trace
	for _, r := range e.Plan.Graph.Regions {
		f := e.code(e.module.Func("", nil, nil))
		if err := e.region(f, r); err != nil {
			return nil, err
		}
		if e.memory.Trace > 0 && r.Result != nil && r.Kind != ir.Head && r.Kind != ir.Bridge {
			trace += e.copyTrace(f, r.Result, trace)
		}
		list = append(list, f.Func)
	}
	return list, nil
}

// region emits the operations of a region, and barriers where threads must wait.
func (e *emitter) region(f *code, r *ir.Region) error {
	wait := fence{plan: e.Plan}
	for _, s := range e.Plan.Steps {
		if s.Op.Region != r || s.Op.Kind == "slice" {
			continue
		}
		row, ok := lowerings[s.Op.Kind]
		if !ok {
			return fmt.Errorf("%s: the operation %s is %w; it has %s", s.Op.Pos, s.Op.Kind, ErrUnsupported, strings.Join(Operations(), ", "))
		}
		if err := row.check(s.Op); err != nil {
			return err
		}
		if wait.before(s, row.access) && e.Threads {
			f.Call(e.barrier)
		}
		if err := row.emit(e, f, s); err != nil {
			return err
		}
	}
	if e.Threads {
		f.Call(e.barrier)
	}
	return nil
}

// copyTrace copies the rows of a hidden state to the trace and returns the room they take.
func (e *emitter) copyTrace(f *code, v *ir.Value, to int64) int64 {
	at, stride := e.address(v)
	width := 4 * v.Type.Width()
	g := e.rowwise(fmt.Sprintf("trace %d %d", width, stride), []int{width, stride}, 0, func(f *code, rows, _ []wasm.Local) {
		f.Get(rows[0]).Get(rows[1]).I32(width).Copy()
	})
	e.call(f, g, v.Type.Rows, int(to), at)
	if e.Threads {
		f.Call(e.barrier)
	}
	return int64(e.Plan.Limits.Rows(v.Type.Rows)) * int64(width)
}

// run emits what the host calls.
func (e *emitter) run(regions []*wasm.Func) {
	init := e.module.Func("init", words(3), nil)
	init.Get(0).SetGlobal(e.thread).Get(1).SetGlobal(e.threads).Get(2).SetGlobal(e.scratch)
	jobs := jobsOf(e.Plan.Graph)
	var parts []*wasm.Func
	for _, job := range jobs {
		f := e.code(e.module.Func("", nil, nil))
		parts = append(parts, f.Func)
		if e.Threads {
			f.beginPass(job.name)
		}
		for j, rows := range countedRows {
			f.I32(addrCounts).Mem(wasm.I32Load, 4*j).SetGlobal(e.counts[rows])
		}
		for j, r := range e.Plan.Graph.Regions {
			if jobOf(e.Plan.Graph, r) == job.name {
				f.Call(regions[j])
			}
		}
		if e.Threads { // also a part without regions ends when all have come
			f.Call(e.barrier)
		}
	}
	for i, job := range jobs {
		f := e.module.Func(job.name, nil, nil)
		if e.Threads {
			e.begin(f, job.number)
		}
		f.Call(parts[i])
	}
	if e.Threads {
		e.work(jobs, parts)
	}
	if v := e.Plan.Graph.Output("logits"); v != nil {
		e.argmax(v)
	}
}

// argmax exports the choice of the first largest logit of a row; −1 where one is not a number or none is larger than −∞.
func (e *emitter) argmax(v *ir.Value) {
	f := e.code(e.module.Func("argmax", words(1), words(1)))
	at, stride := e.address(v)
	p, end, best, id := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.F32), f.Local(wasm.I32)
	x := f.Local(wasm.F32)
	f.Get(0).I32(stride).Do(wasm.I32Mul).I32(at).Do(wasm.I32Add).Tee(p).Tee(0).I32(4 * v.Type.Width()).Do(wasm.I32Add).Set(end)
	f.F32(negativeInfinity).Set(best).I32(-4).Get(0).Do(wasm.I32Add).Set(id)
	f.while(func() { f.Get(p).Get(end).Do(wasm.I32Ne) }, func() {
		f.Get(p).Mem(wasm.F32Load, 0).Tee(x).Get(best).Do(wasm.F32Le, wasm.I32Eqz).If(func() {
			f.Get(x).Get(x).Do(wasm.F32Ne).If(func() { f.I32(-1).Do(wasm.Return) })
			f.Get(x).Set(best).Get(p).Set(id)
		})
		f.add(p, 4)
	})
	f.Get(id).Get(0).Do(wasm.I32Sub).I32(2).Do(wasm.I32ShrS)
}
