package amd64

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// encodings has the machine code of AMX instructions as GNU as 2.40 writes it with {disp32}. Of LDTILECFG, which needs no
// index, as writes another form for bases that need no SIB byte; objdump reads the bytes here as the same instruction.
var encodings = []struct {
	opcode   string
	operands []operand.Op
	text     string // as Go's assembler would write it
	code     string
}{
	{"TILERELEASE", nil, "TILERELEASE", "c4 e2 78 49 c0"},
	{"TILEZERO", ops(tmm(0)), "TILEZERO TMM0", "c4 e2 7b 49 c0"},
	{"TILEZERO", ops(tmm(7)), "TILEZERO TMM7", "c4 e2 7b 49 f8"},
	{"LDTILECFG", ops(at(reg.RSP, 0x1234)), "LDTILECFG 4660(SP)", "c4 e2 78 49 84 24 34 12 00 00"},
	{"LDTILECFG", ops(at(reg.RDX, 0)), "LDTILECFG (DX)", "c4 e2 78 49 84 22 00 00 00 00"},
	{"LDTILECFG", ops(at(reg.R13, -64)), "LDTILECFG -64(R13)", "c4 c2 78 49 84 25 c0 ff ff ff"},
	{"TILELOADD", ops(at(reg.RAX, 0).Idx(reg.RCX, 1), tmm(0)), "TILELOADD (AX)(CX*1), TMM0", "c4 e2 7b 4b 84 08 00 00 00 00"},
	{"TILELOADD", ops(at(reg.RDX, 32).Idx(reg.R9, 1), tmm(5)), "TILELOADD 32(DX)(R9*1), TMM5", "c4 a2 7b 4b ac 0a 20 00 00 00"},
	{"TILELOADD", ops(at(reg.R12, 0x12345).Idx(reg.R15, 1), tmm(7)), "TILELOADD 74565(R12)(R15*1), TMM7", "c4 82 7b 4b bc 3c 45 23 01 00"},
	{"TILELOADD", ops(at(reg.RBP, -1024).Idx(reg.RBX, 1), tmm(3)), "TILELOADD -1024(BP)(BX*1), TMM3", "c4 e2 7b 4b 9c 1d 00 fc ff ff"},
	{"TILESTORED", ops(tmm(1), at(reg.RSI, 1024).Idx(reg.RCX, 1)), "TILESTORED TMM1, 1024(SI)(CX*1)", "c4 e2 7a 4b 8c 0e 00 04 00 00"},
	{"TILESTORED", ops(tmm(6), at(reg.R15, 0).Idx(reg.R14, 1)), "TILESTORED TMM6, (R15)(R14*1)", "c4 82 7a 4b b4 37 00 00 00 00"},
	{"TDPBF16PS", ops(tmm(4), tmm(5), tmm(0)), "TDPBF16PS TMM4, TMM5, TMM0", "c4 e2 5a 5c c5"},
	{"TDPBF16PS", ops(tmm(1), tmm(2), tmm(7)), "TDPBF16PS TMM1, TMM2, TMM7", "c4 e2 72 5c fa"},
	{"TDPBSSD", ops(tmm(6), tmm(4), tmm(1)), "TDPBSSD TMM6, TMM4, TMM1", "c4 e2 4b 5e cc"},
	{"TDPBSSD", ops(tmm(0), tmm(7), tmm(3)), "TDPBSSD TMM0, TMM7, TMM3", "c4 e2 7b 5e df"},
	{"TDPBSUD", ops(tmm(7), tmm(5), tmm(2)), "TDPBSUD TMM7, TMM5, TMM2", "c4 e2 42 5e d5"},
}

func ops(list ...operand.Op) []operand.Op { return list }

// TestEncodeTile compares machine code with that of another assembler, for every AMX instruction.
func TestEncodeTile(t *testing.T) {
	tested := map[string]bool{}
	for _, e := range encodings {
		tested[e.opcode] = true
		i := &ir.Instruction{Opcode: e.opcode, Operands: e.operands}
		code, err := encodeTile(i)
		if want, _ := hex.DecodeString(strings.ReplaceAll(e.code, " ", "")); err != nil || string(code) != string(want) {
			t.Errorf("%s is % x (%v), want %s", e.text, code, err, e.code)
		}
		if got := disassembly(i); got != e.text {
			t.Errorf("%s is written as %s", e.text, got)
		}
	}
	for opcode := range tileOps {
		if !tested[opcode] {
			t.Errorf("%s is not tested", opcode)
		}
	}
}

// TestEncodeTileRejects: addresses that the instructions do not have are errors.
func TestEncodeTileRejects(t *testing.T) {
	for name, m := range map[string]operand.Mem{
		"no row stride": at(reg.RAX, 0),
		"scaled":        at(reg.RAX, 0).Idx(reg.RCX, 4),
		"no base":       {Index: reg.RCX, Scale: 1},
	} {
		if code, err := encodeTile(&ir.Instruction{Opcode: "TILELOADD", Operands: ops(m, tmm(0))}); err == nil {
			t.Errorf("%s is encoded as % x", name, code)
		}
	}
}
