package wasm

// Op is an instruction: its code, with the prefix of multi-byte ones in the third byte.
type Op uint32

const (
	misc   Op = 0xfc << 16
	simd   Op = 0xfd << 16
	atomic Op = 0xfe << 16
)

// Instructions without prefix.
const (
	Return            Op = 0x0f
	Drop              Op = 0x1a
	Select            Op = 0x1b
	I32Load           Op = 0x28
	F32Load           Op = 0x2a
	F64Load           Op = 0x2b
	I32Load8S         Op = 0x2c
	I32Load8U         Op = 0x2d
	I32Load16U        Op = 0x2f
	I32Store          Op = 0x36
	F32Store          Op = 0x38
	F64Store          Op = 0x39
	MemorySize        Op = 0x3f
	I32Eqz            Op = 0x45
	I32Eq             Op = 0x46
	I32Ne             Op = 0x47
	I32LtS            Op = 0x48
	I32LtU            Op = 0x49
	I32GtS            Op = 0x4a
	I32GtU            Op = 0x4b
	I32LeS            Op = 0x4c
	I32LeU            Op = 0x4d
	I32GeS            Op = 0x4e
	I32GeU            Op = 0x4f
	F32Eq             Op = 0x5b
	F32Ne             Op = 0x5c
	F32Lt             Op = 0x5d
	F32Gt             Op = 0x5e
	F32Le             Op = 0x5f
	F32Ge             Op = 0x60
	F64Eq             Op = 0x61
	F64Lt             Op = 0x63
	F64Gt             Op = 0x64
	I32Ctz            Op = 0x68
	I32Add            Op = 0x6a
	I32Sub            Op = 0x6b
	I32Mul            Op = 0x6c
	I32DivS           Op = 0x6d
	I32DivU           Op = 0x6e
	I32RemU           Op = 0x70
	I32And            Op = 0x71
	I32Or             Op = 0x72
	I32Xor            Op = 0x73
	I32Shl            Op = 0x74
	I32ShrS           Op = 0x75
	I32ShrU           Op = 0x76
	F32Abs            Op = 0x8b
	F32Neg            Op = 0x8c
	F32Sqrt           Op = 0x91
	F32Add            Op = 0x92
	F32Sub            Op = 0x93
	F32Mul            Op = 0x94
	F32Div            Op = 0x95
	F32Min            Op = 0x96
	F32Max            Op = 0x97
	F64Abs            Op = 0x99
	F64Neg            Op = 0x9a
	F64Floor          Op = 0x9c
	F64Nearest        Op = 0x9e
	F64Sqrt           Op = 0x9f
	F64Add            Op = 0xa0
	F64Sub            Op = 0xa1
	F64Mul            Op = 0xa2
	F64Div            Op = 0xa3
	F64Min            Op = 0xa4
	F64Max            Op = 0xa5
	F32DemoteF64      Op = 0xb6
	F32ReinterpretI32 Op = 0xbe
	F64ReinterpretI64 Op = 0xbf
	I64Add            Op = 0x7c
	I64Sub            Op = 0x7d
	I64ExtendI32      Op = 0xac
	I64ShrS           Op = 0x87
	I64ReinterpretF64 Op = 0xbd
	F64ConvertI64S    Op = 0xb9
	I64Shl            Op = 0x86
	F32ConvertI32S    Op = 0xb2
	F64ConvertI32S    Op = 0xb7
	F64PromoteF32     Op = 0xbb
	I32TruncSatF64    Op = misc | 2
	I64TruncSatF64    Op = misc | 6
	MemoryCopy        Op = misc | 10
	MemoryFill        Op = misc | 11
)

// Vector instructions.
const (
	V128Load           Op = simd
	V128Load16x4U      Op = simd | 4
	V128Load32Splat    Op = simd | 9
	I8x16Swizzle       Op = simd | 14
	I32x4Extract       Op = simd | 27
	I8x16NarrowI16     Op = simd | 101
	I8x16Sub           Op = simd | 113
	I16x8NarrowI32     Op = simd | 133
	I16x8ExtendLoI8    Op = simd | 135
	I16x8ExtendHiI8    Op = simd | 136
	I16x8ExtendLoU8    Op = simd | 137
	I16x8Shl           Op = simd | 139
	I16x8ShrU          Op = simd | 141
	I32x4ExtendLoI16   Op = simd | 167
	I32x4MaxU          Op = simd | 185
	I32x4DotI16        Op = simd | 186
	I32x4RelaxedDotAdd Op = simd | 0x113
	V128Store          Op = simd | 11
	V128Const          Op = simd | 12
	I8x16Shuffle       Op = simd | 13
	I32x4Splat         Op = simd | 17
	F32x4Splat         Op = simd | 19
	F64x2Splat         Op = simd | 20
	F32x4Extract       Op = simd | 31
	F32x4Replace       Op = simd | 32
	F64x2Extract       Op = simd | 33
	F32x4Eq            Op = simd | 65
	F32x4Ne            Op = simd | 66
	F32x4Lt            Op = simd | 67
	F32x4Gt            Op = simd | 68
	I32x4LtS           Op = simd | 57
	I32x4GeS           Op = simd | 63
	V128Not            Op = simd | 77
	V128And            Op = simd | 78
	V128AndNot         Op = simd | 79
	V128Or             Op = simd | 80
	V128Xor            Op = simd | 81
	V128Bitselect      Op = simd | 82
	V128AnyTrue        Op = simd | 83
	V128Store32Lane    Op = simd | 90
	V128Store64Lane    Op = simd | 91
	V128Load32Lane     Op = simd | 86
	V128Load32Zero     Op = simd | 92
	V128Load64Zero     Op = simd | 93
	F32x4DemoteF64x2   Op = simd | 94
	F64x2PromoteLow    Op = simd | 95
	F32x4Nearest       Op = simd | 106
	I32x4Bitmask       Op = simd | 164
	I32x4ExtendLoU16   Op = simd | 169
	I32x4Shl           Op = simd | 171
	I32x4ShrS          Op = simd | 172
	I32x4ShrU          Op = simd | 173
	I32x4Add           Op = simd | 174
	I32x4Sub           Op = simd | 177
	I32x4MinS          Op = simd | 182
	I32x4MaxS          Op = simd | 184
	F32x4Abs           Op = simd | 224
	F32x4Neg           Op = simd | 225
	F32x4Add           Op = simd | 228
	F32x4Sub           Op = simd | 229
	F32x4Mul           Op = simd | 230
	F32x4Div           Op = simd | 231
	F32x4Min           Op = simd | 232
	F32x4Max           Op = simd | 233
	F64x2Add           Op = simd | 240
	F64x2Sub           Op = simd | 241
	F64x2Mul           Op = simd | 242
	F64x2Div           Op = simd | 243
	I32x4TruncSatF32   Op = simd | 248
	F32x4ConvertI32    Op = simd | 250
	F32x4RelaxedMadd   Op = simd | 0x105
)

// Atomic instructions.
const (
	AtomicNotify Op = atomic
	AtomicWait32 Op = atomic | 0x01
	AtomicLoad   Op = atomic | 0x10
	AtomicStore  Op = atomic | 0x17
	AtomicAdd    Op = atomic | 0x1e
)

// alignment is the binary logarithm of the alignment that memory instructions announce. Atomic ones must have theirs.
var alignment = map[Op]int{
	I32Load: 2, F32Load: 2, F64Load: 3, I32Load16U: 1, I32Store: 2, F32Store: 2, F64Store: 3,
	V128Load: 2, V128Load16x4U: 1, V128Load32Splat: 2, V128Store: 2, V128Load32Lane: 2, V128Store32Lane: 2, V128Store64Lane: 2, V128Load32Zero: 2, V128Load64Zero: 2,
	AtomicNotify: 2, AtomicWait32: 2, AtomicLoad: 2, AtomicStore: 2, AtomicAdd: 2,
}
