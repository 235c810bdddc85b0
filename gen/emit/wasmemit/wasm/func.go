package wasm

import (
	"encoding/binary"
	"math"
)

// Func is a function under construction. Its methods append instructions and return it, so that short sequences read
// as one line.
type Func struct {
	index     int
	signature int
	params    int
	locals    []Type
	code      []byte
	wide      bool  // of a module with a 64-bit memory, see wide.go
	extended  int   // length of the code behind the last extension of a comparison
	spare     Local // of wideFill, plus 1; 0: not there yet
}

// Local is a parameter or a local variable.
type Local int

// Local adds a local variable, which begins as zero.
func (f *Func) Local(t Type) Local {
	if f.wide {
		t = wideType(t)
	}
	f.locals = append(f.locals, t)
	return Local(f.params + len(f.locals) - 1)
}

// Locals adds n local variables of one type.
func (f *Func) Locals(t Type, n int) []Local {
	list := make([]Local, n)
	for i := range list {
		list[i] = f.Local(t)
	}
	return list
}

// encode returns the body: local declarations, runs of one type together, and code.
func (f *Func) encode() []byte {
	var runs []byte
	n := 0
	for i := 0; i < len(f.locals); n++ {
		j := i
		for j < len(f.locals) && f.locals[j] == f.locals[i] {
			j++
		}
		runs = append(unsigned(runs, uint64(j-i)), byte(f.locals[i]))
		i = j
	}
	b := append(unsigned(nil, uint64(n)), runs...)
	return append(append(b, f.code...), 0x0b)
}

// Do appends instructions without immediates.
func (f *Func) Do(ops ...Op) *Func {
	for _, o := range ops {
		f.op(o)
	}
	return f
}

func (f *Func) op(o Op) *Func {
	if f.wide {
		return f.wideOp(o)
	}
	return f.raw(o)
}

// raw appends an instruction as it is.
func (f *Func) raw(o Op) *Func {
	if prefix := byte(o >> 16); prefix != 0 {
		f.code = unsigned(append(f.code, prefix), uint64(o&0xffff))
	} else {
		f.code = append(f.code, byte(o))
	}
	return f
}

func (f *Func) indexed(code byte, i int) *Func {
	f.code = unsigned(append(f.code, code), uint64(i))
	return f
}

// Get pushes a local.
func (f *Func) Get(l Local) *Func { return f.indexed(0x20, int(l)) }

// Set pops into a local.
func (f *Func) Set(l Local) *Func { return f.indexed(0x21, int(l)) }

// Tee copies the top of the stack to a local.
func (f *Func) Tee(l Local) *Func { return f.indexed(0x22, int(l)) }

// GetGlobal pushes a global.
func (f *Func) GetGlobal(i int) *Func { return f.indexed(0x23, i) }

// SetGlobal pops into a global.
func (f *Func) SetGlobal(i int) *Func { return f.indexed(0x24, i) }

// Call calls a function.
func (f *Func) Call(g *Func) *Func { return f.indexed(0x10, g.index) }

// I32 pushes a number; addresses above 2³¹ are numbers modulo 2³². In a wide module it has 64 bits.
func (f *Func) I32(v int) *Func {
	if f.wide {
		return f.I64(int64(v))
	}
	f.code = signed(append(f.code, 0x41), int64(int32(v)))
	return f
}

// I64 pushes a number.
func (f *Func) I64(v int64) *Func {
	f.code = signed(append(f.code, 0x42), v)
	return f
}

// F32 pushes a number.
func (f *Func) F32(v float32) *Func {
	f.code = binary.LittleEndian.AppendUint32(append(f.code, 0x43), math.Float32bits(v))
	return f
}

// F64 pushes a number.
func (f *Func) F64(v float64) *Func {
	f.code = binary.LittleEndian.AppendUint64(append(f.code, 0x44), math.Float64bits(v))
	return f
}

// V pushes four equal float32.
func (f *Func) V(v float32) *Func {
	if v == 0 && !math.Signbit(float64(v)) {
		return f.Words(0, 0, 0, 0)
	}
	return f.F32(v).Do(F32x4Splat)
}

// Words pushes a vector of four 32-bit words.
func (f *Func) Words(w ...uint32) *Func {
	f.op(V128Const)
	for _, x := range w {
		f.code = binary.LittleEndian.AppendUint32(f.code, x)
	}
	return f
}

// Mem appends a load or store with its constant offset.
func (f *Func) Mem(o Op, offset int) *Func {
	f.op(o)
	far := uint64(uint32(offset))
	if f.wide {
		far = uint64(offset)
	}
	f.code = unsigned(unsigned(f.code, uint64(alignment[o])), far)
	return f
}

// MemLane appends a load or store of one lane of a vector.
func (f *Func) MemLane(o Op, offset, lane int) *Func {
	f.Mem(o, offset)
	f.code = append(f.code, byte(lane))
	return f
}

// Lane appends an instruction on one lane of a vector.
func (f *Func) Lane(o Op, lane int) *Func {
	f.op(o)
	f.code = append(f.code, byte(lane))
	if f.wide && o == I32x4Extract {
		f.code = append(f.code, i64Signed)
	}
	return f
}

// Shuffle takes four words of two vectors: 0–3 of the first, 4–7 of the second.
func (f *Func) Shuffle(words ...int) *Func {
	f.op(I8x16Shuffle)
	for _, w := range words {
		for b := range 4 {
			f.code = append(f.code, byte(4*w+b))
		}
	}
	return f
}

// Copy appends memory.copy: destination, source and size are on the stack.
func (f *Func) Copy() *Func {
	f.op(MemoryCopy)
	f.code = append(f.code, 0, 0)
	return f
}

const void = 0x40

// Block runs body; Br(0) in it leaves it.
func (f *Func) Block(body func()) *Func { return f.nest(0x02, body) }

// Loop runs body; Br(0) in it starts it again.
func (f *Func) Loop(body func()) *Func { return f.nest(0x03, body) }

// If runs yes if the number on the stack is not zero.
func (f *Func) If(yes func()) *Func { return f.Narrow().nest(0x04, yes) }

// IfElse runs yes if the number on the stack is not zero, else no.
func (f *Func) IfElse(yes, no func()) *Func {
	f.Narrow()
	f.code = append(f.code, 0x04, void)
	yes()
	f.code = append(f.code, 0x05)
	no()
	f.code = append(f.code, 0x0b)
	return f
}

func (f *Func) nest(code byte, body func()) *Func {
	f.code = append(f.code, code, void)
	body()
	f.code = append(f.code, 0x0b)
	return f
}

// Br jumps to a surrounding block or loop, 0 the innermost.
func (f *Func) Br(depth int) *Func { return f.indexed(0x0c, depth) }

// BrIf jumps if the number on the stack is not zero.
func (f *Func) BrIf(depth int) *Func { return f.Narrow().indexed(0x0d, depth) }

// Fill appends memory.fill: address, byte and size are on the stack.
func (f *Func) Fill() *Func {
	if f.wide {
		return f.wideFill()
	}
	f.op(MemoryFill)
	f.code = append(f.code, 0)
	return f
}
