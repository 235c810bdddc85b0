package generation

import "reflect"

// fields are the keys that a Config reads.
var fields = func() (names []string) {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		names = append(names, f.Tag.Get("json"))
	}
	return names
}()
