package tokenizer

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
)

// Entry is a token of a Source.
type Entry struct {
	Text    string
	Model   bool    // the model's vocabulary has it
	Added   bool    // it is an added token
	Special bool    // decoding may leave it out
	Form    string  // what decoding starts from if not Text
	Byte    bool    // it stands for a byte that nothing else does, as <0x..>
	Score   float64 // log probability in a Unigram model
}

// Merge joins the tokens Left and Right to Result.
type Merge struct{ Left, Right, Result int32 }

// Source is what Pack packs. Tokens is indexed by id; an Entry that is neither Model nor Added is a gap.
type Source struct {
	Pipeline
	Tokens []Entry
	Merges []Merge // in order of rank
}

// Pack writes the packed form that Load reads. It is the compiler's side and not linked into programs that
// only load.
func Pack(s *Source) ([]byte, error) {
	var sec [sections + 1][]byte
	if len(s.Tokens) >= math.MaxInt32/4 || len(s.Merges) >= math.MaxInt32/12 {
		return nil, fmt.Errorf("tokenizer: %d tokens and %d merges are too many", len(s.Tokens), len(s.Merges))
	}
	p := s.Pipeline
	p.Added = slices.Clone(p.Added)
	slices.SortStableFunc(p.Added, func(a, b AddedToken) int {
		if a.Pattern != b.Pattern {
			if a.Pattern < b.Pattern {
				return -1
			}
			return 1
		}
		return int(a.ID - b.ID)
	})
	sec[secPipeline] = p.encode()
	packTokens(s, &sec)
	packMerges(s, &sec)
	if slices.ContainsFunc(s.Steps, func(s Step) bool { return s.Kind == ModelUnigram }) {
		for _, e := range s.Tokens {
			sec[secScores] = binary.LittleEndian.AppendUint64(sec[secScores], math.Float64bits(e.Score))
		}
		sec[secTrie] = packTrie(s.Tokens)
	}
	return join(&sec)
}

func packTokens(s *Source, sec *[sections + 1][]byte) {
	le := binary.LittleEndian
	table := make([]uint32, tableSize(len(s.Tokens)))
	for id, e := range s.Tokens {
		sec[secOffsets] = le.AppendUint32(sec[secOffsets], uint32(len(sec[secTexts])))
		sec[secTexts] = append(sec[secTexts], e.Text...)
		f := e.flags()
		sec[secFlags] = append(sec[secFlags], f)
		if f&flagForm != 0 {
			b := binary.AppendUvarint(sec[secForms], uint64(id))
			b = binary.AppendUvarint(b, uint64(len(e.Form)))
			sec[secForms] = append(b, e.Form...)
		}
	}
	// The last of several tokens of one text is the one that is found.
	for id, e := range slices.Backward(s.Tokens) {
		if e.Model || e.Added || e.Byte {
			insert(table, hashBytes([]byte(e.Text)), uint32(id)+1)
		}
	}
	sec[secOffsets] = le.AppendUint32(sec[secOffsets], uint32(len(sec[secTexts])))
	sec[secHash] = words(table)
}

func (e *Entry) flags() (f byte) {
	for bit, on := range [...]bool{e.Model, e.Added, e.Special, e.Form != "" && e.Form != e.Text, e.Byte} {
		if on {
			f |= 1 << bit
		}
	}
	return f
}

func packMerges(s *Source, sec *[sections + 1][]byte) {
	le := binary.LittleEndian
	table := make([]uint32, tableSize(len(s.Merges)))
	for rank, m := range s.Merges {
		for _, v := range [3]int32{m.Left, m.Right, m.Result} {
			sec[secMerges] = le.AppendUint32(sec[secMerges], uint32(v))
		}
		insert(table, hashPair(m.Left, m.Right), uint32(rank)+1)
	}
	sec[secMergeHash] = words(table)
}

// tableSize returns a power of two that leaves a third of the slots free, at least one.
func tableSize(n int) int {
	size := 2
	for size*2 < n*3+2 {
		size *= 2
	}
	return size
}

func insert(table []uint32, hash, v uint32) {
	mask := uint32(len(table) - 1)
	for table[hash&mask] != 0 {
		hash++
	}
	table[hash&mask] = v
}

func words(t []uint32) []byte {
	b := make([]byte, 0, 4*len(t))
	for _, v := range t {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

func join(sec *[sections + 1][]byte) ([]byte, error) {
	le := binary.LittleEndian
	size := uint64(headerSize + 12*sections)
	head := append([]byte(magic), 0, 0, 0, 0)
	head = le.AppendUint32(head, sections)
	for kind := 1; kind <= sections; kind++ {
		size = (size + 7) &^ 7
		head = le.AppendUint32(head, uint32(kind))
		head = le.AppendUint32(head, uint32(size))
		head = le.AppendUint32(head, uint32(len(sec[kind])))
		size += uint64(len(sec[kind]))
	}
	if size > math.MaxUint32 {
		return nil, fmt.Errorf("tokenizer: the packed form would have %d bytes, at most 4 GiB are possible", size)
	}
	out := make([]byte, 0, size)
	out = append(out, head...)
	for kind := 1; kind <= sections; kind++ {
		for len(out)%8 != 0 {
			out = append(out, 0)
		}
		out = append(out, sec[kind]...)
	}
	le.PutUint32(out[8:], crc32.Checksum(out[12:], crc32.MakeTable(crc32.Castagnoli)))
	return out, nil
}
