package goemit

import "testing"

func TestGroupImports(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"package p\n\nimport \"io\"\n", "package p\n\nimport \"io\"\n"},
		{"package p\n\nimport (\n\t_ \"embed\"\n\t\"example.com/a\"\n\n\t\"fmt\"\n)\n\nvar x = 1\n", "package p\n\nimport (\n\t_ \"embed\"\n\t\"fmt\"\n\n\t\"example.com/a\"\n)\n\nvar x = 1\n"},
		{"package p\n\nimport (\n\t\"github.com/a\"\n\t\"github.com/b\"\n)\n", "package p\n\nimport (\n\t\"github.com/a\"\n\t\"github.com/b\"\n)\n"},
	} {
		if got := string(groupImports([]byte(c.in))); got != c.want {
			t.Errorf("%q became %q, expected %q", c.in, got, c.want)
		}
	}
}
