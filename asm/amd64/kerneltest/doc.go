// Package kerneltest holds assembly for kernels of awkward and of common
// shapes. Its tests compare every kernel with the portable twin on each
// instruction set of the machine; its benchmarks state speed as a share of the
// limits measured in the same run. The test binary needs no files, so that it
// also runs inside an emulator: go test -c, then kerneltest.test -test.short.
package kerneltest

//go:generate go run ./gen
