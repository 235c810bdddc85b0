package tokenizer

import (
	"encoding/binary"
	"fmt"
	"math"
)

// message is a protocol buffer's message on its way through a reader.
type message []byte

// field is one field of a message: a number, or the bytes of a text or message.
type field struct {
	number int
	value  uint64
	bytes  []byte
}

// each calls f for the fields of a message in order. Every length is checked against what is left.
func (m message) each(f func(field) error) error {
	for len(m) > 0 {
		key, n := binary.Uvarint(m)
		if n <= 0 || key>>3 == 0 || key>>3 > math.MaxInt32 {
			return fmt.Errorf("protocol buffer: a field without a valid number")
		}
		m = m[n:]
		e := field{number: int(key >> 3)}
		if n = e.read(m, key&7); n < 0 {
			return fmt.Errorf("protocol buffer: field %d is cut off or of unknown type %d", e.number, key&7)
		}
		m = m[n:]
		if err := f(e); err != nil {
			return err
		}
	}
	return nil
}

// read reads a field's value and returns its bytes, −1 if there are too few.
func (e *field) read(m message, wire uint64) int {
	switch wire {
	case 0:
		v, n := binary.Uvarint(m)
		if n <= 0 {
			return -1
		}
		e.value = v
		return n
	case 1:
		if len(m) < 8 {
			return -1
		}
		e.value = binary.LittleEndian.Uint64(m)
		return 8
	case 2:
		size, n := binary.Uvarint(m)
		if n <= 0 || size > uint64(len(m)-n) {
			return -1
		}
		e.bytes = m[n : n+int(size)]
		return n + int(size)
	case 5:
		if len(m) < 4 {
			return -1
		}
		e.value = uint64(binary.LittleEndian.Uint32(m))
		return 4
	}
	return -1
}

// float reads a 32-bit number.
func (e *field) float() float64 { return float64(math.Float32frombits(uint32(e.value))) }
