//go:build linux

package main

import (
	"os"
	"strings"
)

// features lists the "Features" that the system reports.
func features() []string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(info)) {
		if name, list, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "Features" {
			return strings.Fields(list)
		}
	}
	return nil
}

func add(sum *[16]float32, x *float32, y *[16]float32, n int) string {
	addGo(sum, x, y, n)
	return "plain Go"
}

// undefined executes UDF.
func undefined()
