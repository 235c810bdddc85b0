package main

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// lz4Legacy expands the "legacy frame" in which Linux kernels are packed with LZ4: after a magic number come blocks
// of a 32-bit length and that many bytes; each expands to at most 8 MiB. A length that the input cannot hold ends
// the frame (the kernel's build appends the expanded size). limit is the most bytes that may come out.
// Source: lz4_Frame_format.md, "Legacy frame".
func lz4Legacy(src []byte, limit int) ([]byte, error) {
	var out []byte
	for src = src[4:]; len(src) > 4; {
		n := binary.LittleEndian.Uint32(src)
		if uint64(n) > uint64(len(src)-4) {
			break
		}
		var err error
		if out, err = lz4Block(out, src[4:4+n], limit); err != nil {
			return nil, err
		}
		src = src[4+n:]
	}
	return out, nil
}

var errLZ4 = errors.New("malformed LZ4 block")

// lz4Block appends the expansion of one block to out. Source: lz4_Block_format.md.
func lz4Block(out, src []byte, limit int) ([]byte, error) {
	start := len(out)
	for len(src) > 0 {
		token := src[0]
		literals, src2, ok := lz4Length(int(token>>4), src[1:])
		if !ok || literals > len(src2) || len(out)+literals > limit {
			return nil, errLZ4
		}
		out = append(out, src2[:literals]...)
		if src = src2[literals:]; len(src) == 0 {
			return out, nil
		}
		if len(src) < 2 {
			return nil, errLZ4
		}
		distance := int(binary.LittleEndian.Uint16(src))
		match, src3, ok := lz4Length(int(token&15), src[2:])
		if match += 4; !ok || distance == 0 || distance > len(out)-start {
			return nil, errLZ4
		}
		if len(out)+match > limit {
			return nil, fmt.Errorf("LZ4 data expands to more than %d bytes", limit)
		}
		for src = src3; match > 0; match-- {
			out = append(out, out[len(out)-distance])
		}
	}
	return out, nil
}

// lz4Length completes a length of four bits: 15 is followed by bytes to add, the last of which is below 255.
func lz4Length(n int, src []byte) (int, []byte, bool) {
	if n < 15 {
		return n, src, true
	}
	for i, b := range src {
		if n += int(b); b < 255 {
			return n, src[i+1:], true
		}
	}
	return 0, nil, false
}
