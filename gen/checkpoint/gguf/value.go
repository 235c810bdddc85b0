package gguf

import (
	"encoding/binary"
	"fmt"
	"math"
)

// kind is one type of metadata value: its name and how one value and an array of n are read.
type kind struct {
	name  string
	bytes int64 // least size of a value in the file
	one   func(r *reader) (any, error)
	many  func(r *reader, n int) (any, error)
}

// arrayKind is the type number of an array.
const arrayKind = 9

// kinds is indexed by the type numbers of the GGUF specification. Arrays have a row of their own in value.
var kinds = [13]kind{
	0:  number("uint8", 1, func(b []byte) uint8 { return b[0] }),
	1:  number("int8", 1, func(b []byte) int8 { return int8(b[0]) }),
	2:  number("uint16", 2, binary.LittleEndian.Uint16),
	3:  number("int16", 2, func(b []byte) int16 { return int16(binary.LittleEndian.Uint16(b)) }),
	4:  number("uint32", 4, binary.LittleEndian.Uint32),
	5:  number("int32", 4, func(b []byte) int32 { return int32(binary.LittleEndian.Uint32(b)) }),
	6:  number("float32", 4, func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }),
	7:  number("bool", 1, func(b []byte) bool { return b[0] != 0 }),
	8:  {"string", 8, func(r *reader) (any, error) { return r.string() }, texts},
	10: number("uint64", 8, binary.LittleEndian.Uint64),
	11: number("int64", 8, func(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) }),
	12: number("float64", 8, func(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }),
}

// number makes the row of a type of fixed size.
func number[T any](name string, size int, get func([]byte) T) kind {
	return kind{
		name: name, bytes: int64(size),
		one: func(r *reader) (any, error) {
			b, err := r.take(size)
			if err != nil {
				return nil, err
			}
			return get(b), nil
		},
		many: func(r *reader, n int) (any, error) {
			list := make([]T, n)
			for i := range list {
				b, err := r.take(size)
				if err != nil {
					return nil, err
				}
				list[i] = get(b)
			}
			return list, nil
		},
	}
}

func texts(r *reader, n int) (any, error) {
	list := make([]string, n)
	for i := range list {
		var err error
		if list[i], err = r.string(); err != nil {
			return nil, fmt.Errorf("string %d of %d: %w", i, n, err)
		}
	}
	return list, nil
}

// kindOf returns the row of a type number.
func kindOf(id uint32) (kind, error) {
	if id == arrayKind {
		return kind{}, fmt.Errorf("arrays of arrays are not supported")
	}
	if id >= uint32(len(kinds)) {
		return kind{}, fmt.Errorf("value type %d is unknown; there are 0 to %d", id, len(kinds)-1)
	}
	return kinds[id], nil
}

// value reads the type of a value and the value: a Go number, bool or string, or a slice of them.
func (r *reader) value() (any, error) {
	id, err := r.uint32()
	if err != nil {
		return nil, err
	}
	if id != arrayKind {
		k, err := kindOf(id)
		if err != nil {
			return nil, err
		}
		return k.one(r)
	}
	if id, err = r.uint32(); err != nil {
		return nil, err
	}
	k, err := kindOf(id)
	if err != nil {
		return nil, err
	}
	n, err := r.count("an array of "+k.name, k.bytes)
	if err != nil {
		return nil, err
	}
	return k.many(r, n)
}
