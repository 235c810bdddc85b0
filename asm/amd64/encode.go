package amd64

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A tileRegister is one of TMM0 … TMM7. As a constant operand it needs no register class of avo: tiles are assigned by
// hand, general registers by avo.
type tileRegister struct{ operand.U8 }

// Asm returns the register's name.
func (t tileRegister) Asm() string { return fmt.Sprintf("TMM%d", uint8(t.U8)) }

// tmm is tile register n.
func tmm(n int) tileRegister { return tileRegister{operand.U8(n)} }

// A tileForm says which operands an AMX instruction has, in Go's order.
type tileForm int

const (
	formNone    tileForm = iota // none
	formTile                    // tile
	formMemory                  // memory
	formLoad                    // memory with the row stride as index, tile
	formStore                   // tile, memory with the row stride as index
	formProduct                 // B, A, sum
)

// tileOps are the AMX instructions, which neither avo nor Go's assembler knows: VEX.128.pp.0F38.W0 opcode. Intel SDM
// volume 2, chapter 3 and 4.
var tileOps = map[string]struct {
	pp, opcode byte
	form       tileForm
}{
	"LDTILECFG":   {0, 0x49, formMemory},
	"TILERELEASE": {0, 0x49, formNone},
	"TILELOADD":   {3, 0x4b, formLoad},
	"TILESTORED":  {2, 0x4b, formStore},
	"TILEZERO":    {3, 0x49, formTile},
	"TDPBF16PS":   {2, 0x5c, formProduct}, // float32 += pairs of bfloat16
	"TDPBSSD":     {3, 0x5e, formProduct}, // int32 += quads of A signed, B signed
	"TDPBSUD":     {2, 0x5e, formProduct}, // A signed, B unsigned
}

// tile adds an AMX instruction. Its memory operand is an input also where it is written, because only the registers of
// the address matter to avo.
func (f *function) tile(opcode string, operands ...operand.Op) {
	var inputs []operand.Op
	for _, o := range operands {
		if operand.IsMem(o) {
			inputs = append(inputs, o)
		}
	}
	f.Instruction(&ir.Instruction{Opcode: opcode, Operands: operands, Inputs: inputs})
}

// encodeTiles replaces the AMX instructions of a file whose registers are allocated by their machine code.
func encodeTiles(file *ir.File) error {
	for _, fn := range file.Functions() {
		var nodes []ir.Node
		for _, n := range fn.Nodes {
			i, ok := n.(*ir.Instruction)
			if !ok || tileOps[i.Opcode].opcode == 0 {
				nodes = append(nodes, n)
				continue
			}
			code, err := encodeTile(i)
			if err != nil {
				return err
			}
			nodes = append(nodes, &ir.Comment{Lines: []string{disassembly(i)}})
			nodes = append(nodes, machineCode(code)...)
		}
		fn.Nodes = nodes
	}
	return nil
}

// encodeTile returns the machine code of an AMX instruction.
func encodeTile(i *ir.Instruction) ([]byte, error) {
	op := tileOps[i.Opcode]
	vex := func(index, base, second byte) []byte { // high bits of the address, second source
		return []byte{0xc4, 0x80 | (1-index)<<6 | (1-base)<<5 | 2, (^second&15)<<3 | op.pp, op.opcode}
	}
	number := func(n int) byte { return byte(i.Operands[n].(tileRegister).U8) }
	var tile byte
	var m operand.Mem
	switch op.form {
	case formNone:
		return append(vex(0, 0, 0), 0xc0), nil
	case formTile:
		return append(vex(0, 0, 0), 0xc0|number(0)<<3), nil
	case formProduct:
		return append(vex(0, 0, number(0)), 0xc0|number(2)<<3|number(1)), nil
	case formMemory:
		m = i.Operands[0].(operand.Mem)
	case formLoad:
		m, tile = i.Operands[0].(operand.Mem), number(1)
	case formStore:
		m, tile = i.Operands[1].(operand.Mem), number(0)
	}
	base, ok := m.Base.(reg.Physical)
	if !ok {
		return nil, fmt.Errorf("%s: %s has no base register", i.Opcode, m.Asm())
	}
	b, x := byte(base.PhysicalIndex()), byte(4) // 4: no index
	if index, ok := m.Index.(reg.Physical); ok {
		x = byte(index.PhysicalIndex())
	}
	if (m.Index == nil) != (op.form == formMemory) || m.Index != nil && m.Scale != 1 {
		return nil, fmt.Errorf("%s: %s must have a row stride exactly when it is a tile", i.Opcode, m.Asm())
	}
	d := uint32(int32(m.Disp))
	return append(vex(x>>3, b>>3, 0), 0x84|tile<<3, x&7<<3|b&7, byte(d), byte(d>>8), byte(d>>16), byte(d>>24)), nil
}

// disassembly is an instruction in Go's syntax, for a comment.
func disassembly(i *ir.Instruction) string {
	operands := make([]string, len(i.Operands))
	for n, o := range i.Operands {
		operands[n] = o.Asm()
	}
	return strings.TrimSpace(i.Opcode + " " + strings.Join(operands, ", "))
}

// machineCode returns directives for the bytes of an instruction.
func machineCode(code []byte) []ir.Node {
	var nodes []ir.Node
	for b := range slices.Values(code) {
		nodes = append(nodes, &ir.Instruction{Opcode: "BYTE", Operands: []operand.Op{operand.U8(b)}})
	}
	return nodes
}
