package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/tfgen/tfgen/asm/tuning"
)

// tuningHelp explains the flag -tuning.
var tuningHelp = "table of blockings of matrix products, made by tfgen tune: a `file`, or a built-in one: " + strings.Join(tuning.Names(), ", ") +
	". It changes speed, never a result"

// loadTuning returns the table of the flag -tuning; "" is none.
func loadTuning(name string) (*tuning.Table, error) {
	if name == "" {
		return nil, nil
	}
	info, err := os.Stat(name)
	if err != nil || info.IsDir() {
		t, unknown := tuning.Named(name)
		if unknown != nil && strings.ContainsAny(name, "./\\") {
			return nil, fmt.Errorf("tuning: %w", err)
		}
		return t, unknown
	}
	if info.Size() > tuning.MaxBytes {
		return nil, fmt.Errorf("tuning: %s has %d bytes, at most %d are allowed", name, info.Size(), tuning.MaxBytes)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	t, err := tuning.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}
