package wasm

// Modules with a 64-bit memory (memory64 proposal) are written as those with a 32-bit one: where the module is Wide, every integer
// of 32 bits, which may be an address, becomes one of 64. Comparisons, which give 32 bits, are extended, and conditions, shift
// counts and lanes are narrowed, neither where one follows the other.

const (
	i32Wrap   = 0xa7
	i64Extend = 0xad // of an unsigned number
	i64Signed = 0xac
	localGet  = 0x20
	localSet  = 0x21
)

// wideOps are the instructions on integers of 64 bits that take the place of those on 32.
var wideOps = map[Op]Op{
	I32Load: 0x34, I32Load8S: 0x30, I32Load8U: 0x31, I32Load16U: 0x33, I32Store: 0x3e,
	I32Eqz: 0x50, I32Eq: 0x51, I32Ne: 0x52, I32LtS: 0x53, I32LtU: 0x54, I32GtS: 0x55, I32GtU: 0x56, I32LeS: 0x57, I32LeU: 0x58, I32GeS: 0x59, I32GeU: 0x5a,
	I32Ctz: 0x7a, I32Add: 0x7c, I32Sub: 0x7d, I32Mul: 0x7e, I32DivS: 0x7f, I32DivU: 0x80, I32RemU: 0x82, I32And: 0x83, I32Or: 0x84, I32Xor: 0x85,
	I32Shl: 0x86, I32ShrS: 0x87, I32ShrU: 0x88, F32ConvertI32S: 0xb4, F64ConvertI32S: 0xb9, I32TruncSatF64: I64TruncSatF64,
	AtomicLoad: atomic | 0x16, AtomicStore: atomic | 0x1d, AtomicAdd: atomic | 0x24,
}

// gives says that an instruction leaves 32 bits on the stack: a comparison or a mask.
func gives(o Op) bool {
	switch o {
	case I32Eqz, I32Eq, I32Ne, I32LtS, I32LtU, I32GtS, I32GtU, I32LeS, I32LeU, I32GeS, I32GeU, F32Eq, F32Ne, F32Lt, F32Gt, F32Le, F32Ge,
		F64Eq, F64Lt, F64Gt, V128AnyTrue, I32x4Bitmask:
		return true
	}
	return false
}

// takes says that an instruction takes 32 bits from the top of the stack: a lane, a shift count, a condition.
func takes(o Op) bool {
	switch o {
	case I32x4Splat, I16x8Shl, I16x8ShrU, I32x4Shl, I32x4ShrS, I32x4ShrU, F32ReinterpretI32, Select:
		return true
	}
	return false
}

// wideType is the type that stands for another where the memory is wide.
func wideType(t Type) Type {
	if t == I32 {
		return I64
	}
	return t
}

// wideOp appends an instruction of a wide module.
func (f *Func) wideOp(o Op) *Func {
	switch {
	case o == I64ExtendI32: // it has 64 bits
		return f
	case o == I32Eqz && f.extended == len(f.code) && f.extended > 0:
		f.code = f.code[:len(f.code)-1]
		f.raw(I32Eqz)
	case takes(o):
		return f.Narrow().raw(o)
	default:
		wide, ok := wideOps[o]
		if !ok {
			wide = o
		}
		f.raw(wide)
	}
	if gives(o) {
		f.code = append(f.code, i64Extend)
		f.extended = len(f.code)
	}
	return f
}

// Narrow makes the number on the stack one of 32 bits, which a few instructions take in every module.
func (f *Func) Narrow() *Func {
	switch {
	case !f.wide:
	case f.extended == len(f.code) && f.extended > 0:
		f.code = f.code[:len(f.code)-1]
	default:
		f.code = append(f.code, i32Wrap)
	}
	return f
}

// wideFill appends memory.fill, whose byte has 32 bits.
func (f *Func) wideFill() *Func {
	if f.spare == 0 {
		f.spare = f.Local(I32) + 1
	}
	f.indexed(localSet, int(f.spare-1)).Narrow().indexed(localGet, int(f.spare-1)).raw(MemoryFill)
	f.code = append(f.code, 0)
	return f
}
