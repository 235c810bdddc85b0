//go:build linux

#include "textflag.h"

// func cpuid(leaf, subleaf uint32) (a, b, c, d uint32)
TEXT ·cpuid(SB), NOSPLIT, $0-24
	MOVL leaf+0(FP), AX
	MOVL subleaf+4(FP), CX
	CPUID
	MOVL AX, a+8(FP)
	MOVL BX, b+12(FP)
	MOVL CX, c+16(FP)
	MOVL DX, d+20(FP)
	RET

// func xgetbv() uint32
TEXT ·xgetbv(SB), NOSPLIT, $0-4
	XORL CX, CX
	XGETBV
	MOVL AX, ret+0(FP)
	RET

// func addAVX512(sum *[16]float32, x *float32, y *[16]float32, n int)
TEXT ·addAVX512(SB), NOSPLIT, $0-32
	MOVQ      sum+0(FP), DI
	MOVQ      x+8(FP), SI
	MOVQ      y+16(FP), DX
	MOVQ      n+24(FP), CX
	MOVL      $1, AX
	SHLQ      CX, AX
	DECQ      AX
	KMOVW     AX, K1
	VMOVUPS.Z (SI), K1, Z0
	VADDPS    (DX), Z0, Z1
	VMOVUPS   Z1, (DI)
	VZEROUPPER
	RET

// func undefined()
TEXT ·undefined(SB), NOSPLIT, $0-0
	UD2
	RET
