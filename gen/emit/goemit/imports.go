package goemit

import (
	"bytes"
	"strings"
)

// groupImports puts the standard library's packages of a formatted Go file first and all others after a blank line.
func groupImports(src []byte) []byte {
	before, rest, ok := bytes.Cut(src, []byte("\nimport (\n"))
	if !ok {
		return src
	}
	block, after, ok := bytes.Cut(rest, []byte("\n)\n"))
	if !ok {
		return src
	}
	var standard, others []string
	for line := range strings.Lines(string(block) + "\n") {
		_, path, _ := strings.Cut(line, `"`)
		first, _, _ := strings.Cut(path, "/")
		switch {
		case strings.TrimSpace(line) == "":
		case strings.Contains(first, "."):
			others = append(others, line)
		default:
			standard = append(standard, line)
		}
	}
	if len(standard) > 0 && len(others) > 0 {
		standard = append(standard, "\n")
	}
	lines := strings.Join(append(standard, others...), "")
	return bytes.Join([][]byte{before, []byte("import (\n" + lines + ")"), after}, []byte("\n"))
}
