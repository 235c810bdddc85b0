package build

import (
	"slices"
	"strings"

	"github.com/tfgen/tfgen/gen/config"
	"github.com/tfgen/tfgen/gen/spec"
)

// Absent is a value of the configuration that the checkpoint does not give: the specification's default counts.
type Absent struct {
	Field   string
	Keys    []string
	Value   any
	Perhaps string // a key of the checkpoint that nothing reads and that others read as this field; "": none
}

// Unread is a key of the configuration that nothing reads.
type Unread struct {
	Key     string
	Value   any
	As      string   // what others read it as, "" if none does
	Readers []string // some of those that do
}

// maxHints bounds the specifications that are named as examples.
const maxHints = 3

// absent lists the values that are defaults although they have keys, but for those of the library's classes.
func absent(s *spec.Spec, values *config.Values) []Absent {
	var out []Absent
	for i, f := range s.Config {
		v := values.List[i]
		if v.From == "default" && v.Value != nil && len(f.Keys) > 0 && !f.OfClasses {
			out = append(out, Absent{Field: f.Name, Keys: f.Keys, Value: v.Value})
		}
	}
	return out
}

// Hint adds to a fit what other specifications know: which use a tensor of the same name as one that is left, and which read a
// key that is not read, as what.
func (f *Fit) Hint(others []*Fit) {
	for i := range f.Left {
		g := &f.Left[i]
		for _, o := range others {
			at := slices.IndexFunc(o.Found, func(x Group) bool { return x.Pattern == g.Pattern })
			if at >= 0 && o.Spec != f.Spec && len(g.Like) < maxHints {
				g.Like = append(g.Like, o.Spec.Arch+" ("+o.Found[at].Step+")")
			}
		}
	}
	for i := range f.Unread {
		u := &f.Unread[i]
		for _, o := range others {
			field := fieldOf(o.Spec, u.Key)
			if field == "" || o.Spec == f.Spec {
				continue
			}
			if u.As == "" {
				u.As = field
			}
			if u.As == field && len(u.Readers) < maxHints {
				u.Readers = append(u.Readers, o.Spec.Arch)
			}
			f.suppose(field, u.Key)
		}
	}
}

// suppose notes that a key may be that of a field whose own keys are absent.
func (f *Fit) suppose(field, key string) {
	for i := range f.Absent {
		if a := &f.Absent[i]; a.Field == field && a.Perhaps == "" {
			a.Perhaps = key
		}
	}
}

// fieldOf is the field of a specification that a top-level key gives, "" if there is none.
func fieldOf(s *spec.Spec, key string) string {
	for _, f := range s.Config {
		for _, k := range f.Keys {
			if k == key || strings.HasPrefix(k, key+".") {
				return f.Name
			}
		}
	}
	return ""
}
