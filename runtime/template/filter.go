package template

import (
	"slices"
	"strings"
	"sync"

	"github.com/tfgen/tfgen/runtime/template/py"
)

// Filter is a filter of templates. Each is a variable of its own, which compiled templates name, so that a program links those
// that its templates use.
type Filter struct {
	names string // what templates call it
	title string // what its errors call it
	call  func(s *State, a []Value) Value
	free  filter // in place of call, for arguments of any kind

	params string
	once   sync.Once
	sig    py.Signature
}

// Name is the first of its names.
func (f *Filter) Name() string { return strings.Fields(f.names)[0] }

// apply calls the filter.
func (f *Filter) apply(s *State, x Value, a py.Args) Value {
	if f.free != nil {
		return f.free(s, x, a)
	}
	f.once.Do(func() { f.sig = py.NewSignature(f.title, f.params) })
	a.Pos = append([]Value{x}, a.Pos...)
	return f.call(s, f.sig.Bind(a))
}

// byName are filters by all of their names.
func byName(list []*Filter) map[string]*Filter {
	m := make(map[string]*Filter, len(list))
	for _, f := range list {
		for _, name := range strings.Fields(f.names) {
			m[name] = f
		}
	}
	return m
}

// all are the filters by name, once something asks for them. A variable with a function of its own would link them always.
var all struct {
	once   sync.Once
	byName map[string]*Filter
}

// every are all filters.
func every() map[string]*Filter {
	all.once.Do(func() { all.byName = byName(Filters()) })
	return all.byName
}

// FindFilter returns the filter of a name, nil if there is none.
func FindFilter(name string) *Filter { return every()[name] }

// isFilter reports whether there is a filter of that name, also where it is not linked.
func isFilter(name string) bool { return slices.Contains(strings.Fields(filterNames), name) }

// Filters are all filters.
func Filters() []*Filter {
	return []*Filter{
		FilterAbs, FilterAttr, FilterBatch, FilterCapitalize, FilterCenter, FilterDefault,
		FilterDictsort, FilterEscape, FilterFilesizeformat, FilterFirst, FilterFloat, FilterForceescape,
		FilterFormat, FilterGroupby, FilterIndent, FilterInt, FilterItems, FilterJoin,
		FilterLast, FilterLength, FilterList, FilterLower, FilterMap, FilterMax,
		FilterMin, FilterPprint, FilterRandom, FilterReject, FilterRejectattr, FilterReplace,
		FilterReverse, FilterRound, FilterSafe, FilterSelect, FilterSelectattr, FilterSlice,
		FilterSort, FilterString, FilterStriptags, FilterSum, FilterTitle, FilterTojson,
		FilterTrim, FilterTruncate, FilterUnique, FilterUpper, FilterUrlencode, FilterUrlize,
		FilterWordcount, FilterWordwrap, FilterXmlattr,
	}
}

// filterNames are the names of all filters; a test holds them against Filters.
const filterNames = "abs attr batch capitalize center count d default dictsort e escape filesizeformat first float forceescape format groupby indent int items join last length list lower map max min pprint random reject rejectattr replace reverse round safe select selectattr slice sort string striptags sum title tojson trim truncate unique upper urlencode urlize wordcount wordwrap xmlattr"
