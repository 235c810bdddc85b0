package spec

import (
	"fmt"
	"sort"

	"github.com/tfgen/tfgen/runtime/near"
)

// Suggest returns "; did you mean X?" for the nearest candidate, or "".
func Suggest(name string, candidates []string) string {
	if c, ok := near.Name(name, candidates); ok {
		return fmt.Sprintf("; did you mean %q?", c)
	}
	return ""
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
