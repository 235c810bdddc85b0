package golden

import (
	"errors"
	"path/filepath"
	"testing"
)

// TestRecord: a case with recorded values, also from a file, holds a runner to those of the runner that was recorded.
func TestRecord(t *testing.T) {
	c, err := toyCase().Record(toy{}, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "recorded.gob")
	if err := c.WriteRecorded(path); err != nil {
		t.Fatal(err)
	}
	read, err := toyCase().ReadRecorded(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*Case{c, read} {
		if len(c.expected) == 0 || len(c.expected) >= len(toyCase().expected) {
			t.Errorf("%d values of %d are recorded", len(c.expected), len(toyCase().expected))
		}
		if r := Summarise(c, "toy", Compare(c, toy{})); !r.OK || r.Share != 0 {
			t.Errorf("the same runner is off by %v: %s", r.Share, r.Error)
		}
		for off, ok := range map[float32]bool{0.3: true, 0.5: false} { // of 7
			if r := Summarise(c, "toy", Compare(c, toy{decode: off})); r.OK != ok {
				t.Errorf("off by %v: ok is %v", off, r.OK)
			}
		}
	}
	if _, err := toyCase().Record(toy{err: errors.New("no memory")}, 0); err == nil {
		t.Error("an error of the runner is lost")
	}
}
