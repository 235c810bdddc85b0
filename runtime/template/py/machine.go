package py

// Limits bound what one evaluation may take.
type Limits struct {
	Steps int64 // operations; long strings count once per 32 bytes
	Bytes int64 // of all values that are made, together
}

// Machine evaluates operations within limits. Its zero value has none, for values that come from the program itself.
type Machine struct {
	Limits
	bounded bool
	depth   int
}

// Deepest is how deep values and calls may be nested.
const Deepest = 250

// NewMachine returns a machine with limits.
func NewMachine(l Limits) Machine { return Machine{Limits: l, bounded: true} }

// Step counts n operations and throws when there were too many.
func (m *Machine) Step(n int) {
	m.Steps -= int64(n)
	if m.Steps < 0 && m.bounded {
		Throw("LimitError", "the template takes too long")
	}
}

// Alloc counts n bytes that are about to be made, and the work of making them.
func (m *Machine) Alloc(n int) {
	m.Bytes -= int64(n)
	if (m.Bytes < 0 || n < 0) && m.bounded {
		Throw("LimitError", "the template takes too much memory")
	}
	m.Step(1 + n/32)
}

// AllocTimes counts n × times bytes.
func (m *Machine) AllocTimes(n int, times int64) {
	const most = 1 << 40
	if n > 0 && times > 0 && times > most/int64(n) {
		Throw("MemoryError", "the result is too large")
	}
	if times > 0 {
		m.Alloc(int(int64(n) * times))
	}
}

// Enter goes one level deeper: into a nested value or a call. Leave must follow.
func (m *Machine) Enter() {
	m.Step(1)
	if m.depth++; m.depth > Deepest {
		m.depth = 0
		Throw("RecursionError", "maximum recursion depth exceeded")
	}
}

// Leave undoes Enter.
func (m *Machine) Leave() { m.depth-- }

const slotBytes = 16 // of a value in a list
