package main

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os/exec"
)

const (
	maxKernel  = 256 << 20 // bytes of an unpacked kernel image
	pageSize   = 4096
	pvhNote    = 18 // XEN_ELFNOTE_PHYS32_ENTRY
	xenOwner   = "Xen\x00"
	headerEnd  = 0x250 // of the fields of the setup header that vmlinux reads
	setupMagic = "HdrS"
)

// kernel is a Linux image as it lies in memory: physical address of the first byte, bytes up to the end of .bss
// and the 32-bit PVH entry point.
type kernel struct {
	base, entry uint32
	image       []byte
}

// vmlinux returns the ELF file packed inside a bzImage.
// Source: Documentation/arch/x86/boot.rst (setup_sects, payload_offset, payload_length).
func vmlinux(bzImage []byte) ([]byte, error) {
	if len(bzImage) < headerEnd || string(bzImage[0x202:0x206]) != setupMagic {
		return nil, errors.New("not a Linux bzImage (no HdrS)")
	}
	start := (uint64(bzImage[0x1F1])+1)*512 + uint64(binary.LittleEndian.Uint32(bzImage[0x248:]))
	end := start + uint64(binary.LittleEndian.Uint32(bzImage[0x24C:]))
	if end > uint64(len(bzImage)) || end-start < 16 {
		return nil, fmt.Errorf("bzImage of %d bytes ends before its payload at %d–%d", len(bzImage), start, end)
	}
	return unpack(bzImage[start:end])
}

// packers are the commands for the packings that the Go library does not know; they ignore the appended size.
var packers = []struct {
	magic   string
	command []string
}{
	{"\xFD7zXZ\x00", []string{"xz", "-dc", "--single-stream"}},
	{"\x28\xB5\x2F\xFD", []string{"zstd", "-dc"}},
}

// unpack expands a kernel's payload: LZ4 and gzip itself, xz and zstd by their commands.
func unpack(payload []byte) ([]byte, error) {
	if bytes.HasPrefix(payload, []byte{0x02, 0x21, 0x4C, 0x18}) {
		return lz4Legacy(payload, maxKernel)
	}
	if bytes.HasPrefix(payload, []byte{0x1F, 0x8B}) {
		r, err := gzip.NewReader(bytes.NewReader(payload))
		if err != nil {
			return nil, err
		}
		r.Multistream(false)
		return io.ReadAll(io.LimitReader(r, maxKernel))
	}
	for _, p := range packers {
		if bytes.HasPrefix(payload, []byte(p.magic)) {
			cmd := exec.Command(p.command[0], p.command[1:]...)
			cmd.Stdin = bytes.NewReader(payload)
			out, err := cmd.Output()
			if len(out) == 0 {
				return nil, fmt.Errorf("unpacking the kernel with %s: %w", p.command[0], err)
			}
			return out, nil
		}
	}
	return nil, fmt.Errorf("kernel is packed in an unknown way (% x); known: LZ4, gzip, xz, zstd", payload[:4])
}

// loadKernel lays out the segments of a vmlinux.
func loadKernel(vmlinux []byte) (kernel, error) {
	f, err := elf.NewFile(bytes.NewReader(vmlinux))
	if err != nil {
		return kernel{}, err
	}
	low, high := uint64(1<<32), uint64(0)
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD {
			low, high = min(low, p.Paddr), max(high, p.Paddr+p.Memsz)
		}
	}
	if low%pageSize != 0 || low < 2*pageSize || high <= low || high-low > maxKernel {
		return kernel{}, fmt.Errorf("kernel segments at %#x–%#x", low, high)
	}
	k := kernel{base: uint32(low), image: make([]byte, high-low)}
	for _, p := range f.Progs {
		if p.Type != elf.PT_LOAD {
			continue
		}
		if p.Filesz > p.Memsz {
			return kernel{}, errors.New("kernel segment is longer in the file than in memory")
		}
		if _, err := io.ReadFull(p.Open(), k.image[p.Paddr-low:][:p.Filesz]); err != nil {
			return kernel{}, err
		}
	}
	k.entry, err = pvhEntry(f)
	return k, err
}

// pvhEntry finds the physical address of the 32-bit entry point among the kernel's ELF notes.
func pvhEntry(f *elf.File) (uint32, error) {
	for _, p := range f.Progs {
		if p.Type != elf.PT_NOTE {
			continue
		}
		notes, err := io.ReadAll(p.Open())
		if err != nil {
			return 0, err
		}
		for len(notes) >= 12 {
			name := uint64(binary.LittleEndian.Uint32(notes))
			desc := uint64(binary.LittleEndian.Uint32(notes[4:]))
			kind := binary.LittleEndian.Uint32(notes[8:])
			at := 12 + (name+3)&^3
			if at+desc > uint64(len(notes)) {
				break
			}
			if kind == pvhNote && desc >= 4 && string(notes[12:12+name]) == xenOwner {
				return binary.LittleEndian.Uint32(notes[at:]), nil
			}
			notes = notes[min(at+(desc+3)&^3, uint64(len(notes))):]
		}
	}
	return 0, errors.New("kernel has no PVH entry point (CONFIG_PVH); Debian's cloud kernel has one")
}
