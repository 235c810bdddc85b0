//go:build amd64

// Package sha256 computes SHA-256 (FIPS 180-4). It takes the place of crypto/sha256 in generated packages: that one brings the
// self-tests and random numbers of Go's certified module with it, a twentieth of a C library.
package sha256

import (
	"encoding/binary"
	"math/bits"

	"github.com/tfgen/tfgen/runtime/cpu"
)

const (
	size  = 32
	chunk = 64
)

// Digest is a hash that is being computed.
type Digest struct {
	h    [8]uint32 // first: the assembly reads it
	rest [chunk]byte
	n    int // bytes in rest
	len  uint64
}

// New returns the hash of nothing.
func New() *Digest {
	return &Digest{h: [8]uint32{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}}
}

// Write adds bytes.
func (d *Digest) Write(p []byte) (int, error) {
	written := len(p)
	d.len += uint64(written)
	if d.n > 0 {
		n := copy(d.rest[d.n:], p)
		d.n += n
		p = p[n:]
		if d.n == chunk {
			d.blocks(d.rest[:])
			d.n = 0
		}
	}
	whole := len(p) &^ (chunk - 1)
	d.blocks(p[:whole])
	d.n += copy(d.rest[d.n:], p[whole:])
	return written, nil
}

// Sum appends the hash of what was written to b.
func (d *Digest) Sum(b []byte) []byte {
	end := *d
	padding := make([]byte, chunk+8)
	padding[0] = 0x80
	n := chunk - (d.n+8)%chunk
	binary.BigEndian.PutUint64(padding[n:], d.len<<3)
	end.Write(padding[:n+8])
	for _, word := range end.h {
		b = binary.BigEndian.AppendUint32(b, word)
	}
	return b
}

// Sum256 returns the hash of data.
func Sum256(data []byte) [size]byte {
	d := New()
	d.Write(data)
	return [size]byte(d.Sum(nil))
}

// extensions tells whether the processor has the SHA extensions; a test changes it.
var extensions = cpu.SHA()

//go:noescape
func blockSHANI(d *Digest, p []byte)

// blocks adds whole blocks. Assembly cannot be interrupted, so it gets 64 KiB at a time.
func (d *Digest) blocks(p []byte) {
	const step = 64 << 10
	for len(p) > 0 {
		n := min(len(p), step)
		if extensions {
			blockSHANI(d, p[:n])
		} else {
			blockGeneric(d, p[:n])
		}
		p = p[n:]
	}
}

// blockGeneric is the portable twin of blockSHANI.
func blockGeneric(d *Digest, p []byte) {
	var w [64]uint32
	for ; len(p) >= chunk; p = p[chunk:] {
		for i := range 16 {
			w[i] = binary.BigEndian.Uint32(p[4*i:])
		}
		for i := 16; i < 64; i++ {
			a, b := w[i-15], w[i-2]
			s0 := bits.RotateLeft32(a, -7) ^ bits.RotateLeft32(a, -18) ^ a>>3
			s1 := bits.RotateLeft32(b, -17) ^ bits.RotateLeft32(b, -19) ^ b>>10
			w[i] = w[i-16] + s0 + w[i-7] + s1
		}
		v := d.h
		for i := range 64 {
			e, a := v[4], v[0]
			t1 := v[7] + (bits.RotateLeft32(e, -6) ^ bits.RotateLeft32(e, -11) ^ bits.RotateLeft32(e, -25)) + (e&v[5] ^ ^e&v[6]) + k[i] + w[i]
			t2 := (bits.RotateLeft32(a, -2) ^ bits.RotateLeft32(a, -13) ^ bits.RotateLeft32(a, -22)) + (a&v[1] ^ a&v[2] ^ v[1]&v[2])
			v = [8]uint32{t1 + t2, v[0], v[1], v[2], v[3] + t1, v[4], v[5], v[6]}
		}
		for i := range v {
			d.h[i] += v[i]
		}
	}
}

// k are the first 32 bits of the fractions of the cube roots of the first 64 primes.
var k = [64]uint32{
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}
