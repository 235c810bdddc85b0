//go:build linux

#include "textflag.h"

// func undefined()
TEXT ·undefined(SB), NOSPLIT, $0-0
	WORD $0
	RET
