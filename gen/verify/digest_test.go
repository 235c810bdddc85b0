package verify

import (
	"testing"

	"github.com/tfgen/tfgen/gen/golden"
)

func TestHoldBits(t *testing.T) {
	reports := []golden.Report{
		{Case: "a", Backend: "avx2", Bits: "1", OK: true}, {Case: "a", Backend: "avx512", Bits: "2", OK: true},
		{Case: "b", Backend: "avx512", Bits: "4", OK: true}, {Case: "a", Backend: "avx512vnni", Bits: "2", OK: true},
		{Case: "a", Backend: "amxint8", Bits: "3", OK: true}, {Case: "a", Backend: "amx", Bits: "5", OK: true},
	}
	holdBits(reports)
	for i, r := range reports {
		if r.OK != (i != 4) {
			t.Errorf("%s at %s: ok is %v: %s", r.Case, r.Backend, r.OK, r.Error)
		}
	}
}
