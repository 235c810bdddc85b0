package regex

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"sync"
)

// propertyData lists the sets of characters that Oniguruma 6.9 gives for its properties, which follow Unicode 16:
// general categories, scripts, binary properties and POSIX brackets. It is gzip of, for each set, uvarints of its
// names' length, the names with commas between, the number of ranges, and for each range the distances from the end
// of the last one to its start and from its start to its end.
//
//go:embed properties.bin.gz
var propertyData []byte

var properties = sync.OnceValue(func() map[string]set {
	z, err := gzip.NewReader(bytes.NewReader(propertyData))
	if err != nil {
		panic(err) // it is part of the program
	}
	b, err := io.ReadAll(z)
	if err != nil {
		panic(err)
	}
	num := func() int {
		v, n := binary.Uvarint(b)
		b = b[n:]
		return int(v)
	}
	out := map[string]set{}
	for len(b) > 0 {
		n := num()
		names := string(b[:n])
		b = b[n:]
		var s set
		at := rune(0)
		for k := num(); k > 0; k-- {
			lo := at + rune(num())
			at = lo + rune(num())
			s = append(s, lo, at)
		}
		for name := range strings.SplitSeq(names, ",") {
			out[plain(name)] = s
		}
	}
	return out
})

// plain is a property's name without what does not count in it.
func plain(name string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "_", "", "-", "").Replace(name))
}

func property(name string) (set, error) {
	s, ok := properties()[plain(name)]
	if !ok {
		return nil, fmt.Errorf("the property %q is not known; known are general categories, scripts, POSIX brackets and binary properties of Unicode", name)
	}
	return s, nil
}
