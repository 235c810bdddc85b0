package importance

import (
	"bufio"
	"encoding/binary"
	"io"
	"math"
)

// GGUF's codes of value types, and the alignment of its data when nothing else is said.
const (
	ggufUint32    = 4
	ggufString    = 8
	ggufArray     = 9
	ggufF32       = 0
	ggufAlignment = 32
)

// Write writes the matrix as llama.cpp does (tools/imatrix, GGUF): for each tensor its means as sums over one row. source names the
// text that the matrix comes from, tokens is how many were used. Read returns the same matrix; llama-quantize takes the file when the
// names are those of a GGUF model.
func (m Matrix) Write(w io.Writer, source string, tokens int) error {
	b := bufio.NewWriter(w)
	g := &ggufWriter{w: b}
	names := m.Names()
	g.bytes([]byte("GGUF"))
	g.u32(3)
	g.u64(2 * len(names))
	g.u64(4)
	g.text("general.type")
	g.u32(ggufString)
	g.text("imatrix")
	g.text("imatrix.datasets")
	g.u32(ggufArray)
	g.u32(ggufString)
	g.u64(1)
	g.text(source)
	g.text("imatrix.chunk_count")
	g.u32(ggufUint32)
	g.u32((tokens + window - 1) / window)
	g.text("imatrix.chunk_size")
	g.u32(ggufUint32)
	g.u32(window)
	at := 0
	for _, name := range names {
		at += g.entry(name+sumsSuffix, len(m[name]), at)
		at += g.entry(name+countsSuffix, 1, at)
	}
	g.pad()
	for _, name := range names {
		g.floats(m[name])
		g.floats([]float32{1})
	}
	if g.err != nil {
		return g.err
	}
	return b.Flush()
}

// A ggufWriter writes parts of a GGUF file and keeps the first error.
type ggufWriter struct {
	w   io.Writer
	n   int
	err error
}

func (g *ggufWriter) bytes(data []byte) {
	if g.err == nil {
		_, g.err = g.w.Write(data)
	}
	g.n += len(data)
}

func (g *ggufWriter) u32(v int) { g.bytes(binary.LittleEndian.AppendUint32(nil, uint32(v))) }
func (g *ggufWriter) u64(v int) { g.bytes(binary.LittleEndian.AppendUint64(nil, uint64(v))) }

// text writes a string with its length.
func (g *ggufWriter) text(s string) {
	g.u64(len(s))
	g.bytes([]byte(s))
}

// entry describes a float32 tensor [1, n] whose data begin at an offset, and returns how many bytes it takes.
func (g *ggufWriter) entry(name string, n, offset int) int {
	g.text(name)
	g.u32(2)
	g.u64(n)
	g.u64(1)
	g.u32(ggufF32)
	g.u64(offset)
	return (4*n + ggufAlignment - 1) / ggufAlignment * ggufAlignment
}

// floats writes the data of a tensor.
func (g *ggufWriter) floats(values []float32) {
	data := make([]byte, 0, 4*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	g.bytes(data)
	g.pad()
}

// pad writes zeros up to the next tensor.
func (g *ggufWriter) pad() { g.bytes(make([]byte, -g.n&(ggufAlignment-1))) }
