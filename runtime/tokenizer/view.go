package tokenizer

import "unsafe"

// viewBytes returns the bytes of a string without a copy. Nobody may write to them.
func viewBytes(s string) []byte {
	if s == "" {
		return nil
	}
	return unsafe.Slice(unsafe.StringData(s), len(s))
}
