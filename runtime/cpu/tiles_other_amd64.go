//go:build amd64 && !linux

package cpu

// requestTiles reports false: how to ask for AMX tiles is known for Linux only.
func requestTiles() bool { return false }
