package tokenizer

import (
	"encoding/binary"
	"math/bits"
)

// vocab is the packed vocabulary, read in place.
type vocab struct {
	off    []byte // uint32 × (n + 1)
	texts  []byte
	flags  []byte // n
	hash   []byte // uint32 × 2ᵏ
	mask   uint32
	forms  map[int32]string
	maxLen int // bytes of the longest token
}

func u32(b []byte, i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) }

func (v *vocab) size() int { return len(v.flags) }

func (v *vocab) has(id int32) bool { return uint32(id) < uint32(len(v.flags)) && v.flags[id] != 0 }

// text returns the token's text; the id must be in range.
func (v *vocab) text(id int32) []byte {
	return v.texts[u32(v.off, int(id)):u32(v.off, int(id)+1)]
}

// find returns the id of a token that has one of the flags, −1 if there is none.
func (v *vocab) find(s []byte, flag byte) int32 {
	if len(s) > v.maxLen {
		return -1
	}
	for i := hashBytes(s); ; i++ {
		slot := u32(v.hash, int(i&v.mask))
		if slot == 0 {
			return -1
		}
		id := int32(slot - 1)
		if v.flags[id]&flag != 0 && string(v.text(id)) == string(s) {
			return id
		}
	}
}

// hashBytes is a multiply-and-fold hash over 8 bytes at a time. It is part of the packed form.
func hashBytes(s []byte) uint32 {
	const k = 0x9e3779b97f4a7c15
	h := uint64(len(s)) * k
	for len(s) >= 8 {
		h = fold(h^binary.LittleEndian.Uint64(s), k)
		s = s[8:]
	}
	var tail uint64
	for i := len(s) - 1; i >= 0; i-- {
		tail = tail<<8 | uint64(s[i])
	}
	return uint32(fold(h^tail, 0xd6e8feb86659fd93))
}

// hashPair hashes a pair of ids. It is part of the packed form.
func hashPair(a, b int32) uint32 {
	return uint32(fold(uint64(uint32(a))<<32|uint64(uint32(b)), 0x9e3779b97f4a7c15))
}

func fold(x, y uint64) uint64 {
	hi, lo := bits.Mul64(x, y)
	return hi ^ lo
}
