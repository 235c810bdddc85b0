// Package wasm encodes WebAssembly modules (WebAssembly Core Specification 2.0, with the threads and relaxed SIMD
// proposals). It knows the binary format and nothing of models.
package wasm

import "slices"

// Type is a value type.
type Type byte

// Value types.
const (
	I32  Type = 0x7f
	I64  Type = 0x7e
	F32  Type = 0x7d
	F64  Type = 0x7c
	V128 Type = 0x7b
)

// Page is the unit of memory sizes, in bytes.
const Page = 65536

// MaxPages is the largest 32-bit memory, MaxWidePages the largest 64-bit one that engines allow.
const (
	MaxPages     = 65536
	MaxWidePages = 262144
)

// Module is a module under construction. Imports come before functions.
type Module struct {
	Wide    bool // the memory has 64-bit addresses; set before anything else
	types   [][]byte
	imports [][]byte
	nimport int // imported functions
	funcs   []*Func
	memory  []byte
	globals [][]byte
	exports [][]byte
	data    [][]byte
}

// signature returns the index of a function type.
func (m *Module) signature(params, results []Type) int {
	t := m.vector([]byte{0x60}, params)
	t = m.vector(t, results)
	for i, have := range m.types {
		if string(have) == string(t) {
			return i
		}
	}
	m.types = append(m.types, t)
	return len(m.types) - 1
}

func (m *Module) vector(b []byte, types []Type) []byte {
	b = unsigned(b, uint64(len(types)))
	for _, t := range types {
		if m.Wide {
			t = wideType(t)
		}
		b = append(b, byte(t))
	}
	return b
}

// ImportFunc declares a function of the host.
func (m *Module) ImportFunc(module, name string, params, results []Type) *Func {
	if len(m.funcs) > 0 {
		panic("wasm: an import after a function")
	}
	t := m.signature(params, results)
	m.imports = append(m.imports, unsigned(append(text(text(nil, module), name), 0), uint64(t)))
	m.nimport++
	return &Func{index: m.nimport - 1, wide: m.Wide}
}

// ImportMemory declares the memory, of at least pages; a shared one has a maximum.
func (m *Module) ImportMemory(module, name string, pages int, shared bool) {
	b := append(text(text(nil, module), name), 2)
	kind, most := byte(0), uint64(MaxPages)
	if m.Wide {
		kind, most = 4, MaxWidePages
	}
	if shared {
		b = unsigned(unsigned(append(b, kind|3), uint64(pages)), most)
	} else {
		b = unsigned(append(b, kind), uint64(pages))
	}
	m.imports = append(m.imports, b)
}

// Memory defines and exports a memory; shared with a positive maximum.
func (m *Module) Memory(name string, pages, most int) {
	if most > 0 {
		m.memory = unsigned(unsigned([]byte{3}, uint64(pages)), uint64(most))
	} else {
		m.memory = unsigned([]byte{0}, uint64(pages))
	}
	m.exports = append(m.exports, unsigned(append(text(nil, name), 2), 0))
}

// Global adds a mutable i32 and returns its index.
func (m *Module) Global(init int32) int {
	if m.Wide {
		m.globals = append(m.globals, append(signed([]byte{byte(I64), 1, 0x42}, int64(init)), 0x0b))
		return len(m.globals) - 1
	}
	m.globals = append(m.globals, append(signed([]byte{byte(I32), 1, 0x41}, int64(init)), 0x0b))
	return len(m.globals) - 1
}

// Func adds a function. With a name it is exported.
func (m *Module) Func(name string, params, results []Type) *Func {
	f := &Func{index: m.nimport + len(m.funcs), signature: m.signature(params, results), params: len(params), wide: m.Wide}
	m.funcs = append(m.funcs, f)
	if name != "" {
		m.exports = append(m.exports, unsigned(append(text(nil, name), 0), uint64(f.index)))
	}
	return f
}

// Data puts bytes at an address when the module is instantiated.
func (m *Module) Data(address int, bytes []byte) {
	b := append(signed([]byte{0, 0x41}, int64(int32(address))), 0x0b)
	if m.Wide {
		b = append(signed([]byte{0, 0x42}, int64(address)), 0x0b)
	}
	m.data = append(m.data, append(unsigned(b, uint64(len(bytes))), bytes...))
}

// Encode returns the module in the binary format.
func (m *Module) Encode() []byte {
	out := []byte{0, 'a', 's', 'm', 1, 0, 0, 0}
	var declared, bodies [][]byte
	for _, f := range m.funcs {
		declared = append(declared, unsigned(nil, uint64(f.signature)))
		body := f.encode()
		bodies = append(bodies, append(unsigned(nil, uint64(len(body))), body...))
	}
	var memories [][]byte
	if m.memory != nil {
		memories = append(memories, m.memory)
	}
	for _, s := range []struct {
		id    byte
		items [][]byte
	}{{1, m.types}, {2, m.imports}, {3, declared}, {5, memories}, {6, m.globals}, {7, m.exports}, {10, bodies}, {11, m.data}} {
		if len(s.items) > 0 {
			b := append(unsigned(nil, uint64(len(s.items))), slices.Concat(s.items...)...)
			out = append(unsigned(append(out, s.id), uint64(len(b))), b...)
		}
	}
	return out
}

// unsigned appends a number in LEB128.
func unsigned(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// signed appends a number in signed LEB128.
func signed(b []byte, v int64) []byte {
	for v < -0x40 || v >= 0x40 {
		b = append(b, byte(v)&0x7f|0x80)
		v >>= 7
	}
	return append(b, byte(v)&0x7f)
}

func text(b []byte, s string) []byte { return append(unsigned(b, uint64(len(s))), s...) }
