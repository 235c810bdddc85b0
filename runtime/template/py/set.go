package py

// Set is a set in the order of insertion: what subtracting views of dictionaries makes.
type Set struct{ d Dict }

var setMethods = methods{}

// without is a − b for sets and views; nil if neither is one.
func (m *Machine) without(a, b Value) *Set {
	isView := func(v Value) bool {
		w, ok := v.(*View)
		return ok && w.Kind != "values"
	}
	_, setA := a.(*Set)
	_, setB := b.(*Set)
	if !isView(a) && !isView(b) && !(setA && setB) || m.iterator(a) == nil || m.iterator(b) == nil {
		return nil
	}
	gone := new(Dict)
	for _, x := range m.Items(b) {
		gone.Set(x, true)
	}
	out := new(Set)
	for _, x := range m.Items(a) {
		if gone.find(x) < 0 {
			m.Alloc(2 * slotBytes)
			out.d.Set(x, true)
		}
	}
	return out
}
