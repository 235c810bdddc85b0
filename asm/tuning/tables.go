package tuning

import (
	"embed"
	"fmt"
	"path"
	"strings"
)

// Default is the name of the table for machines that nobody has measured: rules only.
const Default = "default"

//go:embed tables/*.json
var tables embed.FS

// Names returns the names of the built-in tables, sorted.
func Names() []string {
	entries, err := tables.ReadDir("tables")
	if err != nil {
		panic("tuning: " + err.Error()) // embedded
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".json"))
	}
	return names
}

// Named returns a built-in table.
func Named(name string) (*Table, error) {
	data, err := tables.ReadFile(path.Join("tables", name+".json"))
	if err != nil {
		return nil, fmt.Errorf("no tuning table is called %q; there are %s", name, strings.Join(Names(), ", "))
	}
	return Parse(data)
}
