package golden_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/tfgen/tfgen/gen/build"
)

// TestNothingUnread: every key of the decoders' configurations is read, required or known to be harmless.
func TestNothingUnread(t *testing.T) {
	dirs, err := filepath.Glob("../verify/testdata/decoders/*")
	if err != nil || len(dirs) < 40 {
		t.Fatal("no cases", err)
	}
	for _, dir := range dirs {
		c := open(t, dir)
		for _, config := range c.Configs() {
			checkpoint, err := c.Checkpoint(config)
			if err != nil {
				t.Fatal(err)
			}
			m, err := build.Model(build.Checkpoint{Checkpoint: checkpoint})
			if err != nil {
				t.Fatal(err)
			}
			unread := slices.DeleteFunc(m.Values.Unused, func(key string) bool {
				return key == "num_key_value_heads" && m.Spec.Arch == "gpt_bigcode" // multi_query decides
			})
			if len(unread) > 0 {
				t.Errorf("%s: %s: nothing reads %v", c.Name, config, unread)
			}
		}
	}
}
