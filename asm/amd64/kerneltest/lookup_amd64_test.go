package kerneltest

import (
	"testing"

	"github.com/tfgen/tfgen/asm/amd64/kerneltest/cases"
	"github.com/tfgen/tfgen/asm/kernel"
)

// variantName returns the name that the test kernels have for a kernel.
func variantName(t testing.TB, k kernel.Kernel) string {
	for _, have := range cases.Kernels() {
		if have.Key() == k.Key() {
			return have.Name()
		}
	}
	t.Fatalf("%s is not among the test kernels", k.Key())
	return ""
}
