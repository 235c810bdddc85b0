package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// magic begins a saved state; its last byte is the version of the format.
var magic = [8]byte{'t', 'f', 'g', 'e', 'n', 's', 't', 2}

// header is the beginning of a saved state, little-endian. Behind it come the
// tokens as uint32, the rows, and for each cache its positions as uint32, then
// the written blocks of keys and of values, head by head, as float32.
type header struct {
	Magic  [8]byte
	Model  [32]byte
	Tokens uint32
	High   uint32
	Rows   uint32 // elements of all rows
	Caches uint32
	Source uint32 // tokens that an encoder has read
}

// headerSize is the size of a header in bytes.
const headerSize = 8 + 32 + 5*4

// encode returns the bytes of a header.
func (h *header) encode() []byte {
	b := append(h.Magic[:], h.Model[:]...)
	for _, v := range []uint32{h.Tokens, h.High, h.Rows, h.Caches, h.Source} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

// readHeader reads a header.
func readHeader(r io.Reader) (h header, err error) {
	var b [headerSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return h, err
	}
	copy(h.Magic[:], b[:])
	copy(h.Model[:], b[8:])
	for i, v := range []*uint32{&h.Tokens, &h.High, &h.Rows, &h.Caches, &h.Source} {
		*v = binary.LittleEndian.Uint32(b[40+4*i:])
	}
	return h, nil
}

// writeTokens writes token ids.
func writeTokens(w io.Writer, tokens []int32) error {
	b := make([]byte, 0, 4*len(tokens))
	for _, id := range tokens {
		b = binary.LittleEndian.AppendUint32(b, uint32(id))
	}
	_, err := w.Write(b)
	return err
}

// readTokens reads n token ids.
func readTokens(r io.Reader, n int) ([]int32, error) {
	b := make([]byte, 4*n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	tokens := make([]int32, n)
	for i := range tokens {
		tokens[i] = int32(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return tokens, nil
}

// readWord reads a number.
func readWord(r io.Reader) (uint32, error) {
	var b [4]byte
	_, err := io.ReadFull(r, b[:])
	return binary.LittleEndian.Uint32(b[:]), err
}

// Save writes a state. Its size is that of the tokens it has, not of its limit.
func Save(w io.Writer, s State) error {
	h := header{magic, s.Model, uint32(len(*s.Tokens)), uint32(*s.High), uint32(elements(s.Rows)), uint32(len(s.Caches)), uint32(s.source())}
	if _, err := w.Write(h.encode()); err != nil {
		return err
	}
	if err := writeTokens(w, *s.Tokens); err != nil {
		return err
	}
	for _, row := range s.Rows {
		if err := writeFloats(w, row); err != nil {
			return err
		}
	}
	for _, c := range s.Caches {
		if _, err := w.Write(binary.LittleEndian.AppendUint32(nil, uint32(c.Keys))); err != nil {
			return err
		}
		for _, part := range parts(c, s.written(c, *s.High)) {
			if err := writeFloats(w, part); err != nil {
				return err
			}
		}
	}
	return nil
}

// ErrModel is returned for the state of another model.
var ErrModel = errors.New("the state belongs to other weights")

// Restore reads a state into s, of whose size the saved one has to be or smaller.
// The file is not trusted: what does not fit is an error, after which s is empty.
func Restore(r io.Reader, s State, vocabulary int) (err error) {
	defer func() {
		if err != nil {
			*s.Tokens, *s.High = (*s.Tokens)[:0], 0
			if s.Source != nil {
				*s.Source = 0
			}
			err = fmt.Errorf("saved session: %w", err)
		}
	}()
	h, err := readHeader(r)
	if err != nil {
		return err
	}
	switch {
	case h.Magic != magic:
		return errors.New("not a saved session of this version")
	case h.Model != s.Model:
		return ErrModel
	case int64(h.Tokens) > int64(s.Limit) || h.High < h.Tokens || h.High > math.MaxInt32:
		return fmt.Errorf("it has %d tokens, this session holds %d", h.Tokens, s.Limit)
	case h.Source > 0 && s.Source == nil || int64(h.Source) > int64(s.Limit):
		return fmt.Errorf("it has a source of %d tokens, more than this session can read", h.Source)
	case int(h.Rows) != elements(s.Rows) || int(h.Caches) != len(s.Caches):
		return errors.New("its sizes are those of another model")
	}
	tokens, err := readTokens(r, int(h.Tokens))
	if err != nil {
		return err
	}
	for _, id := range tokens {
		if id < 0 || int(id) >= vocabulary {
			return fmt.Errorf("token %d, the vocabulary has %d", id, vocabulary)
		}
	}
	if s.Source != nil {
		*s.Source = int(h.Source)
	}
	if err := restoreFloats(r, s, int(h.High)); err != nil {
		return err
	}
	*s.Tokens, *s.High = append((*s.Tokens)[:0], tokens...), int(h.High)
	return nil
}

// restoreFloats reads rows and caches.
func restoreFloats(r io.Reader, s State, high int) error {
	for _, row := range s.Rows {
		if err := readFloats(r, row, floats); err != nil {
			return err
		}
	}
	for _, c := range s.Caches {
		keys, err := readWord(r)
		if err != nil {
			return err
		}
		written := s.written(c, high)
		if err := fits(c, int(keys), written); err != nil {
			return err
		}
		for _, part := range parts(c, written) {
			if err := readPart(r, part, c, written); err != nil {
				return err
			}
		}
	}
	return nil
}

// readPart fills the written blocks of a head's keys or values.
func readPart(r io.Reader, part []float32, c Cache, high int) error {
	switch {
	case c.Halves:
		return readFloats(r, part, halves)
	case !c.Codes:
		return readFloats(r, part, floats)
	}
	n := blocks(c, high)
	for b := range n {
		block := part[b*len(part)/n : (b+1)*len(part)/n]
		scales := len(block) - BlockKeys
		if err := readFloats(r, block[:scales], codes); err != nil {
			return err
		}
		if err := readFloats(r, block[scales:], floats); err != nil {
			return err
		}
	}
	return nil
}

// parts are the written blocks of every head, keys first.
func parts(c Cache, high int) (list [][]float32) {
	if c.Fixed {
		return [][]float32{c.K}
	}
	n := blocks(c, high)
	for _, all := range [][]float32{c.K, c.V} {
		for h := range c.Heads {
			head := all[h*len(all)/c.Heads : (h+1)*len(all)/c.Heads]
			list = append(list, head[:len(head)/max(1, c.Keys/BlockKeys)*n])
		}
	}
	return list
}

func elements(rows [][]float32) (n int) {
	for _, row := range rows {
		n += len(row)
	}
	return n
}

// chunk is the number of values that are converted at a time.
const chunk = 4096

func writeFloats(w io.Writer, v []float32) error {
	var b [4 * chunk]byte
	for len(v) > 0 {
		n := min(len(v), chunk)
		for i, x := range v[:n] {
			binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(x))
		}
		if _, err := w.Write(b[:4*n]); err != nil {
			return err
		}
		v = v[n:]
	}
	return nil
}

// A kind says what words hold, for the check that they are numbers: what is none would spread to tokens that come later.
type kind uint8

const (
	floats kind = iota
	halves      // two float16
	codes       // four integers, all of which are numbers
)

// good reports whether a word holds numbers; −∞ is one among float32, for logits.
func (k kind) good(bits uint32) bool {
	switch k {
	case floats:
		x := math.Float32frombits(bits)
		return x-x == 0 || math.IsInf(float64(x), -1)
	case halves:
		return bits&0x7c00 != 0x7c00 && bits&0x7c000000 != 0x7c000000
	}
	return true
}

// readFloats fills v with words of a kind.
func readFloats(r io.Reader, v []float32, k kind) error {
	var b [4 * chunk]byte
	for len(v) > 0 {
		n := min(len(v), chunk)
		if _, err := io.ReadFull(r, b[:4*n]); err != nil {
			return err
		}
		for i := range v[:n] {
			bits := binary.LittleEndian.Uint32(b[4*i:])
			if !k.good(bits) {
				return errors.New("it holds values that are no numbers")
			}
			v[i] = math.Float32frombits(bits)
		}
		v = v[n:]
	}
	return nil
}
