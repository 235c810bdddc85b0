package cpu

import "syscall"

// requestTiles asks the kernel to let this process use AMX tile data, and
// reports whether it does. The permission holds for all threads. Kernels before
// 5.16, a seccomp filter or a signal stack of the host that is too small for
// the state refuse it; without it the first use of a tile is a fatal signal
// although CPUID and XCR0 show AMX. Linux, Documentation/arch/x86/xstate.rst.
func requestTiles() bool {
	const archReqXCompPerm, tileData = 0x1023, 18
	_, _, errno := syscall.RawSyscall(syscall.SYS_ARCH_PRCTL, archReqXCompPerm, tileData, 0)
	return errno == 0
}
