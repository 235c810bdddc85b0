package plan

import "testing"

// TestFence holds the rule by which workers wait: two uses of the same memory, one of them writing, unless each worker
// keeps to its own rows of one and the same matrix.
func TestFence(t *testing.T) {
	a := &Buffer{Stride: 16, Offset: 0, Size: 160}
	same := &Buffer{Stride: 16, Offset: 0, Size: 80}
	other := &Buffer{Stride: 32, Offset: 64, Size: 64} // shares memory with a, with other rows
	beside := &Buffer{Stride: 16, Offset: 160, Size: 160}
	for _, c := range []struct {
		name          string
		before, after Use
		wait          bool
	}{
		{"reading what was read", Use{a, false, false}, Use{a, false, false}, false},
		{"reading any row of what was written", Use{a, true, true}, Use{a, false, false}, true},
		{"reading the own rows of what was written by rows", Use{a, true, true}, Use{same, false, true}, false},
		{"writing any row of what was read by rows", Use{a, false, true}, Use{a, true, false}, true},
		{"other rows in the same memory", Use{a, false, true}, Use{other, true, true}, true},
		{"other memory", Use{a, true, false}, Use{beside, true, false}, false},
	} {
		var f Fence
		f.Add(c.before)
		if got := f.Wait([]Use{c.after}); got != c.wait {
			t.Errorf("%s: waits %v, expected %v", c.name, got, c.wait)
		}
		if c.wait && f.Wait([]Use{c.after}) {
			t.Errorf("%s: waits again for the same", c.name)
		}
	}
}
