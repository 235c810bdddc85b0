package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

const (
	startMagic  = 0x336EC578 // XEN_HVM_START_MAGIC_VALUE
	mapEntries  = 2
	commandAt   = 256 // of the kernel's command line in the boot page
	lowMemory   = 0x9F000
	highMemory  = 1 << 20
	cylinder    = 16 * 63 * sectorSize
	chunkBytes  = sectorsRead * sectorSize
	reservedRAM = 48 << 20 // for the running kernel, beside its image and the files
)

// machine is what the emulator is given: the boot ROM and the disk that the ROM copies to memory.
type machine struct{ rom, disk []byte }

// buildMachine puts the boot page, the kernel and the initramfs one after the other.
// ram is the guest's memory in bytes.
func buildMachine(k kernel, initramfs []byte, commandLine string, ram uint64) (machine, error) {
	load := k.base - pageSize
	initrdAt := uint64(k.base) + uint64(len(k.image)+pageSize-1)&^(pageSize-1)
	// The initramfs is unpacked into memory while its archive is still there.
	if need := initrdAt + 2*uint64(len(initramfs)) + reservedRAM; need > ram {
		return machine{}, fmt.Errorf("guest needs at least %d MiB of memory for these files (--mem)", need>>20+1)
	}
	page, err := bootPage(uint64(load), initrdAt, uint64(len(initramfs)), commandLine, ram)
	if err != nil {
		return machine{}, err
	}
	used := initrdAt - uint64(load) + uint64(len(initramfs))
	chunks := (used + chunkBytes - 1) / chunkBytes
	// The emulated disk has whole cylinders only.
	disk := make([]byte, (chunks*chunkBytes+cylinder-1)/cylinder*cylinder)
	copy(disk, page)
	copy(disk[pageSize:], k.image)
	copy(disk[initrdAt-uint64(load):], initramfs)
	return machine{bootROM(load, uint32(chunks), k.entry, load), disk}, nil
}

// bootPage returns the 4 KiB at physical address at: hvm_start_info, the list of one module (the initramfs), the
// memory map and the command line. Source: Xen, xen/include/public/arch-x86/hvm/start_info.h.
func bootPage(at, initrdAt, initrdLen uint64, commandLine string, ram uint64) ([]byte, error) {
	if len(commandLine) >= pageSize-commandAt {
		return nil, fmt.Errorf("kernel command line is longer than %d bytes", pageSize-commandAt-1)
	}
	const moduleAt, mapAt = 64, 96
	var b bytes.Buffer
	for _, field := range []any{
		uint32(startMagic), uint32(1), uint32(0), uint32(1), // magic, version, flags, modules
		at + moduleAt, at + commandAt, uint64(0), at + mapAt, // modules, command line, no ACPI, memory map
		uint32(mapEntries), uint32(0), uint64(0),
		initrdAt, initrdLen, uint64(0), uint64(0),
		uint64(0), uint64(lowMemory), uint32(1), uint32(0), // RAM
		uint64(highMemory), ram - highMemory, uint32(1), uint32(0),
	} {
		if err := binary.Write(&b, binary.LittleEndian, field); err != nil {
			return nil, err
		}
	}
	page := make([]byte, pageSize)
	copy(page, b.Bytes())
	copy(page[commandAt:], commandLine)
	return page, nil
}
