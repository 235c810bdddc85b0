package main

import "encoding/binary"

const (
	romSize     = 64 << 10
	romBase     = 1<<32 - romSize // where the chipset shows the ROM to the CPU
	romGDT      = 0x100           // offset of the segment descriptors
	romGDTR     = romGDT - 8      // offset of the operand of LGDT
	sectorSize  = 512
	sectorsRead = 256 // sectors of one ATA command, the most that LBA28 allows
)

// bootROM returns the 64 KiB that replace the PC's BIOS. The code enters 32-bit protected mode without paging,
// reads chunks × 128 KiB from the start of the first ATA disk to physical address load (LBA28, programmed I/O)
// and jumps to entry with the address of the PVH start info in EBX.
// Sources: Intel SDM volume 3, 9.1 and 9.9 (reset, mode switch); ATA-6, 8.34 (READ SECTORS);
// the Xen "x86/HVM direct boot ABI", docs/misc/pvh.pandoc (state at the entry).
func bootROM(load, chunks, entry, startInfo uint32) []byte {
	rom := make([]byte, romSize)
	copy(rom[romSize-16:], []byte{0xE9, 0x0D, 0x00}) // reset vector: jmp 0 (FFF3 + 000D wraps)
	binary.LittleEndian.PutUint16(rom[romGDTR:], 3*8-1)
	binary.LittleEndian.PutUint32(rom[romGDTR+2:], romBase+romGDT)
	binary.LittleEndian.PutUint64(rom[romGDT+0x08:], 0x00CF9B000000FFFF) // code: base 0, 4 GiB, 32 bits
	binary.LittleEndian.PutUint64(rom[romGDT+0x10:], 0x00CF93000000FFFF) // data: base 0, 4 GiB
	code := append([]byte(nil), protectedMode...)
	code = binary.LittleEndian.AppendUint32(append(code, 0xBF), load)   // mov edi, load
	code = binary.LittleEndian.AppendUint32(append(code, 0xBD), chunks) // mov ebp, chunks
	code = append(code, readDisk...)
	code = binary.LittleEndian.AppendUint32(append(code, 0xBB), startInfo) // mov ebx, startInfo
	code = binary.LittleEndian.AppendUint32(append(code, 0xB8), entry)     // mov eax, entry
	code = append(code, 0xFF, 0xE0)                                        // jmp eax
	copy(rom, code)
	return rom
}

// protectedMode switches from real mode (CS base romBase) to flat 32-bit segments and clears EBX.
var protectedMode = []byte{
	0xFA,                                     // cli
	0x2E, 0x66, 0x0F, 0x01, 0x16, romGDTR, 0, // cs lgdt [romGDTR]
	0x0F, 0x20, 0xC0, // mov eax, cr0
	0x0C, 0x01, // or al, 1
	0x0F, 0x22, 0xC0, // mov cr0, eax
	0x66, 0xEA, 0x18, 0, 0xFF, 0xFF, 0x08, 0, // jmp far 8:romBase+0x18 (the next instruction)
	0x66, 0xB8, 0x10, 0, // mov ax, 0x10
	0x8E, 0xD8, // mov ds, ax
	0x8E, 0xC0, // mov es, ax
	0x8E, 0xD0, // mov ss, ax
	0xFC,       // cld
	0x31, 0xDB, // xor ebx, ebx
}

// readDisk reads EBP × 256 sectors, beginning with LBA EBX, to EDI.
var readDisk = []byte{
	// chunk (offset 0):
	0x66, 0xBA, 0xF2, 0x01, // mov dx, 0x1F2
	0x30, 0xC0, 0xEE, // sector count 0 means 256
	0x42, 0x89, 0xD8, 0xEE, // 0x1F3: LBA bits 0–7
	0x42, 0xC1, 0xE8, 8, 0xEE, // 0x1F4: LBA bits 8–15
	0x42, 0xC1, 0xE8, 8, 0xEE, // 0x1F5: LBA bits 16–23
	0x42, 0xC1, 0xE8, 8, 0x0C, 0xE0, 0xEE, // 0x1F6: LBA bits 24–27, drive 0
	0x42, 0xB0, 0x20, 0xEE, // 0x1F7: READ SECTORS
	0xBE, 0, 1, 0, 0, // mov esi, 256
	// sector (offset 37):
	0x66, 0xBA, 0xF7, 0x01, // mov dx, 0x1F7
	// wait (offset 41):
	0xEC,       // in al, dx
	0x24, 0x88, // and al, BSY|DRQ
	0x3C, 0x08, // cmp al, DRQ
	0x75, 0xF9, // jne wait
	0x66, 0xBA, 0xF0, 0x01, // mov dx, 0x1F0
	0xB9, 0x80, 0, 0, 0, // mov ecx, 128
	0xF3, 0x6D, // rep insd
	0x4E,       // dec esi
	0x75, 0xE7, // jnz sector
	0x81, 0xC3, 0, 1, 0, 0, // add ebx, 256
	0x4D,       // dec ebp
	0x75, 0xB9, // jnz chunk
}
