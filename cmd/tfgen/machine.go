package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// machineName says what the processor calls itself, with the numbers that tell models of the same name apart.
func machineName() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	fields := map[string]string{}
	for _, line := range strings.Split(string(text), "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && fields[strings.TrimSpace(name)] == "" {
			fields[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	if err != nil || fields["model name"] == "" {
		return runtime.GOOS + " " + runtime.GOARCH
	}
	return fmt.Sprintf("%s, family %s model %s", fields["model name"], fields["cpu family"], fields["model"])
}
