// Package dtype is the table of element formats that checkpoints store, and how each becomes float32.
package dtype

import (
	"fmt"
	"strings"
)

// DType is an element format of safetensors or GGUF. The zero value is no format.
type DType uint8

// The formats, plain ones first.
const (
	Invalid DType = iota
	F64
	F32
	F16
	BF16
	F8E4M3
	F8E5M2
	I8
	I16
	I32
	I64
	U8
	U16
	U32
	U64
	Bool
	Q4_0
	Q4_1
	Q5_0
	Q5_1
	Q8_0
	Q2K
	Q3K
	Q4K
	Q5K
	Q6K
	IQ1S
	IQ1M
	IQ2XXS
	IQ2XS
	IQ2S
	IQ3XXS
	IQ3S
	IQ4NL
	IQ4XS
	TQ1_0
	TQ2_0
	MXFP4
	NVFP4
	count
)

// row is one line of the table. decode reads len(dst)/values blocks; it returns the first block that has no
// value in float32, or -1.
type row struct {
	name          string
	values, bytes int // of a block
	safetensors   bool
	gguf          int // type number, or none
	decode        func(dst []float32, src []byte) int
	bad           string // what is wrong with the block that decode returns
}

// none says that GGUF has no such type.
const none = -1

// Reasons for which a block has no value.
const (
	scale   = "a scale is not a finite number"
	inexact = "float32 cannot hold the integer exactly"
	tooBig  = "the value is beyond the range of float32"
)

// table is indexed by DType.
var table = [count]row{
	F64:    {"F64", 1, 8, true, 28, decodeF64, tooBig},
	F32:    {"F32", 1, 4, true, 0, decodeF32, ""},
	F16:    {"F16", 1, 2, true, 1, decodeF16, ""},
	BF16:   {"BF16", 1, 2, true, 30, decodeBF16, ""},
	F8E4M3: {"F8_E4M3", 1, 1, true, none, decodeBytes(&e4m3), ""},
	F8E5M2: {"F8_E5M2", 1, 1, true, none, decodeBytes(&e5m2), ""},
	I8:     {"I8", 1, 1, true, 24, decodeBytes(&i8), ""},
	I16:    {"I16", 1, 2, true, 25, decodeI16, ""},
	I32:    {"I32", 1, 4, true, 26, decodeI32, inexact},
	I64:    {"I64", 1, 8, true, 27, decodeI64, inexact},
	U8:     {"U8", 1, 1, true, none, decodeBytes(&u8), ""},
	U16:    {"U16", 1, 2, true, none, decodeU16, ""},
	U32:    {"U32", 1, 4, true, none, decodeU32, inexact},
	U64:    {"U64", 1, 8, true, none, decodeU64, inexact},
	Bool:   {"BOOL", 1, 1, true, none, decodeBool, "a boolean is neither 0 nor 1"},
	Q4_0:   {"Q4_0", 32, 18, false, 2, blocks(32, 18, q40), scale},
	Q4_1:   {"Q4_1", 32, 20, false, 3, blocks(32, 20, q41), scale},
	Q5_0:   {"Q5_0", 32, 22, false, 6, blocks(32, 22, q50), scale},
	Q5_1:   {"Q5_1", 32, 24, false, 7, blocks(32, 24, q51), scale},
	Q8_0:   {"Q8_0", 32, 34, false, 8, blocks(32, 34, q80), scale},
	Q2K:    {"Q2_K", 256, 84, false, 10, blocks(256, 84, q2k), scale},
	Q3K:    {"Q3_K", 256, 110, false, 11, blocks(256, 110, q3k), scale},
	Q4K:    {"Q4_K", 256, 144, false, 12, blocks(256, 144, q4k), scale},
	Q5K:    {"Q5_K", 256, 176, false, 13, blocks(256, 176, q5k), scale},
	Q6K:    {"Q6_K", 256, 210, false, 14, blocks(256, 210, q6k), scale},
	IQ1S:   {"IQ1_S", 256, 50, false, 19, blocks(256, 50, iq1s), scale},
	IQ1M:   {"IQ1_M", 256, 56, false, 29, blocks(256, 56, iq1m), scale},
	IQ2XXS: {"IQ2_XXS", 256, 66, false, 16, blocks(256, 66, iq2xxs), scale},
	IQ2XS:  {"IQ2_XS", 256, 74, false, 17, blocks(256, 74, iq2xs), scale},
	IQ2S:   {"IQ2_S", 256, 82, false, 22, blocks(256, 82, iq2s), scale},
	IQ3XXS: {"IQ3_XXS", 256, 98, false, 18, blocks(256, 98, iq3xxs), scale},
	IQ3S:   {"IQ3_S", 256, 110, false, 21, blocks(256, 110, iq3s), scale},
	IQ4NL:  {"IQ4_NL", 32, 18, false, 20, blocks(32, 18, iq4nl), scale},
	IQ4XS:  {"IQ4_XS", 256, 136, false, 23, blocks(256, 136, iq4xs), scale},
	TQ1_0:  {"TQ1_0", 256, 54, false, 34, blocks(256, 54, tq10), scale},
	TQ2_0:  {"TQ2_0", 256, 66, false, 35, blocks(256, 66, tq20), scale},
	MXFP4:  {"MXFP4", 32, 17, false, 39, blocks(32, 17, mxfp4), scale},
	NVFP4:  {"NVFP4", 64, 36, false, 40, blocks(64, 36, nvfp4), scale},
}

// retired are GGUF types that no file should contain, or that are not supported, for the error message.
var retired = map[uint32]string{
	4: "Q4_2", 5: "Q4_3", 9: "Q8_1", 15: "Q8_K", 31: "Q4_0_4_4", 32: "Q4_0_4_8", 33: "Q4_0_8_8", 36: "IQ4_NL_4_4",
	37: "IQ4_NL_4_8", 38: "IQ4_NL_8_8", 41: "Q1_0",
}

// blocks makes the decoder of a blocked format from the decoder of one block, which reports whether its scales are
// finite.
func blocks(values, bytes int, one func(dst []float32, src []byte) bool) func(dst []float32, src []byte) int {
	return func(dst []float32, src []byte) int {
		for b := range len(dst) / values {
			if !one(dst[b*values:][:values], src[b*bytes:][:bytes]) {
				return b
			}
		}
		return -1
	}
}

// String returns the name that safetensors or GGML gives the format.
func (d DType) String() string {
	if d == Invalid || d >= count {
		return fmt.Sprintf("DType(%d)", uint8(d))
	}
	return table[d].name
}

// Block returns how many values a block has and how many bytes it takes; a plain format has blocks of one value.
func (d DType) Block() (values, bytes int) {
	if d == Invalid || d >= count {
		return 0, 0
	}
	return table[d].values, table[d].bytes
}

// Quantised reports whether values share scales: blocks of more than one value.
func (d DType) Quantised() bool { values, _ := d.Block(); return values > 1 }

// All returns every format in the order of the table.
func All() []DType {
	all := make([]DType, 0, count-1)
	for d := Invalid + 1; d < count; d++ {
		all = append(all, d)
	}
	return all
}

// BySafetensors returns the format that a safetensors header calls name.
func BySafetensors(name string) (DType, error) {
	for d := Invalid + 1; d < count; d++ {
		if table[d].safetensors && table[d].name == name {
			return d, nil
		}
	}
	return Invalid, fmt.Errorf("dtype %.40q is not supported; supported are %s", name, names(func(r row) bool { return r.safetensors }))
}

// ByGGUF returns the format with a type number of GGML.
func ByGGUF(id uint32) (DType, error) {
	for d := Invalid + 1; d < count; d++ {
		if table[d].gguf == int(id) && table[d].gguf != none {
			return d, nil
		}
	}
	known := fmt.Sprint(id)
	if name, ok := retired[id]; ok {
		known = fmt.Sprintf("%d (%s)", id, name)
	}
	return Invalid, fmt.Errorf("type %s is not supported; supported are %s", known, names(func(r row) bool { return r.gguf != none }))
}

// Safetensors reports whether the format can be stored in a safetensors file.
func (d DType) Safetensors() bool { return d < count && table[d].safetensors }

// GGUF returns the type number of GGML, if it has one.
func (d DType) GGUF() (uint32, bool) {
	if d == Invalid || d >= count || table[d].gguf == none {
		return 0, false
	}
	return uint32(table[d].gguf), true
}

func names(keep func(row) bool) string {
	var list []string
	for _, r := range table[1:] {
		if keep(r) {
			list = append(list, r.name)
		}
	}
	return strings.Join(list, ", ")
}

// BlockError is a block that has no value in float32.
type BlockError struct {
	Block int // index, from the first one decoded
	Why   string
}

// Error names the block and the reason.
func (e *BlockError) Error() string { return fmt.Sprintf("block %d: %s", e.Block, e.Why) }

// Decode converts whole blocks to float32, bit for bit as ggml and gguf-py do: len(dst) values from exactly as many
// blocks in src. A scale that is not finite, an integer that float32 cannot hold and a float64 out of its range are a
// *BlockError; NaN and infinity in a plain float format are values.
func (d DType) Decode(dst []float32, src []byte) error {
	values, bytes := d.Block()
	if values == 0 || len(dst)%values != 0 || len(dst)/values != len(src)/bytes || len(src)%bytes != 0 {
		return fmt.Errorf("%v: %d values from %d bytes: a block is %d values in %d bytes", d, len(dst), len(src), values, bytes)
	}
	if bad := table[d].decode(dst, src); bad >= 0 {
		return &BlockError{bad, table[d].bad}
	}
	return nil
}
