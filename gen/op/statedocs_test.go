package op

import (
	"slices"
	"testing"
)

// TestStateDocs holds the words for states complete, and free of those that no operation has.
func TestStateDocs(t *testing.T) {
	var kinds []string
	for _, k := range Kinds() {
		o, _ := Lookup(k)
		if o.State != "" {
			kinds = append(kinds, o.State)
			if StateDocs[o.State] == "" {
				t.Errorf("%s keeps the state %q, of which nothing is said", k, o.State)
			}
		}
	}
	for kind := range StateDocs {
		if !slices.Contains(kinds, kind) {
			t.Errorf("no operation keeps the state %q", kind)
		}
	}
}
