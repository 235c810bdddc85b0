package plan

import "github.com/tfgen/tfgen/gen/ir"

// Use is one use of a buffer by workers that share an operation.
type Use struct {
	Buffer *Buffer
	Write  bool
	Own    bool // each worker touches its own rows only
}

// conflicts reports whether two uses by different workers may touch the same memory, one of them writing.
func (a Use) conflicts(b Use) bool {
	if !a.Write && !b.Write {
		return false
	}
	overlap := a.Buffer.Offset < b.Buffer.Offset+b.Buffer.Size && b.Buffer.Offset < a.Buffer.Offset+a.Buffer.Size
	same := a.Buffer.Offset == b.Buffer.Offset && a.Buffer.Stride == b.Buffer.Stride && a.Buffer.Rows == b.Buffer.Rows
	return overlap && !(same && a.Own && b.Own)
}

// Fence decides where workers must wait for each other. The zero Fence is that of a pass's begin.
type Fence struct{ pending []Use }

// Wait reports whether workers must wait before they use these buffers. If so, what they did before is forgotten. The
// uses themselves are not noted: Add does that.
func (f *Fence) Wait(uses []Use) bool {
	for _, b := range uses {
		for _, a := range f.pending {
			if a.conflicts(b) {
				f.Forget()
				return true
			}
		}
	}
	return false
}

// Add notes uses that have happened since the workers last waited.
func (f *Fence) Add(uses ...Use) { f.pending = append(f.pending, uses...) }

// Forget tells that the workers have waited for each other.
func (f *Fence) Forget() { f.pending = nil }

// Uses are the uses of the buffers in which values live.
func (p *Plan) Uses(values []*ir.Value, write, own bool) []Use {
	var list []Use
	for _, v := range values {
		if at, ok := p.At[v]; ok {
			list = append(list, Use{at.Buffer, write, own})
		}
	}
	return list
}
