package kerneltest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"

	"github.com/tfgen/tfgen/asm/kernel"
	"github.com/tfgen/tfgen/runtime/quant"
)

// guard is the number of canaries before and after every buffer.
const guard = 32

// canary fills what no kernel may read or write: a NaN, so that reading spoils
// a result, with a payload, so that writing is seen.
var canary = math.Float32frombits(0x7fc54321)

// A shape is the run-time part of a call: everything that is not a literal.
type shape struct {
	rows, tiles, heads int
	gap                int    // elements between the rows of a matrix
	alias              string // parameter that shares memory with y; "" for none
	sharedC            bool   // gemm: one bias row, ldc = 0
}

// A call is one call of a kernel: its arguments by parameter name. Buffers are
// whole, with guards; slices start behind the guard.
type call struct {
	k      kernel.Kernel
	shape  shape
	floats map[string][]float32
	halves map[string][]uint16
	bytes  map[string][]int8
	ints   map[string][]int32
	num    map[string]int
}

// newCall makes random arguments from a seed.
func newCall(k kernel.Kernel, s shape, seed uint64) *call {
	c := &call{k, s, map[string][]float32{}, map[string][]uint16{}, map[string][]int8{}, map[string][]int32{}, map[string]int{"rows": s.rows}}
	r := rand.New(rand.NewPCG(seed, uint64(len(k.Key()))))
	for _, p := range k.Params() {
		switch p.Type {
		case "[]float32":
			rows, width, length := c.extent(p.Name)
			c.floats[p.Name] = buffer(r, rows, width, length)
		case "[]uint16":
			c.halves[p.Name] = c.bfloat16(r, p.Name)
		case "[]int8":
			c.bytes[p.Name] = make([]int8, c.shape.tiles*kernel.Tile*k.D[0]+2*guard)
			for i := range c.bytes[p.Name] {
				c.bytes[p.Name][i] = int8(r.Uint32())
			}
		case "[]int32":
			c.ints[p.Name] = c.bounds(r, p.Name)
		}
	}
	c.num["tiles"], c.num["heads"] = s.tiles, s.heads
	c.start()
	if s.alias != "" {
		c.floats[s.alias] = c.floats["y"]
		c.num["ld"+s.alias] = c.num["ldy"]
		c.fill(r, "y")
	}
	return c
}

// scans reports whether a kernel is a recurrence over its rows.
func scans(k kernel.Kernel) bool { return k.Op == "scanState" || k.Op == "scanHead" }

// width returns the elements in a row of a matrix parameter, 0 for vectors.
func (c *call) width(name string) int {
	k := c.k
	switch {
	case k.Op == "gemm" && (name == "y" || name == "c"):
		return kernel.Tile * c.shape.tiles
	case k.Op == "rope" && name == "x":
		return k.D[0] * c.shape.heads
	case k.Op == "rope" && name == "cs":
		return k.D[1]
	case scans(k) && (name == "y" || name == "x" || name == "dt"):
		return kernel.Tile * c.shape.tiles
	case scans(k) && (name == "b" || name == "c"):
		return k.D[0]
	case name == "y" || name == "x" || name == "u" || name == "d" && strings.HasPrefix(k.Op, "add"):
		return k.D[0]
	}
	return 0
}

// extent returns how many rows of which width a float parameter has, and its
// length; it sets the stride of a matrix.
func (c *call) extent(name string) (rows, width, length int) {
	if width := c.width(name); width > 0 {
		if c.shape.sharedC && name == "c" {
			c.num["ldc"] = 0
			return 1, width, width
		}
		ld := width + c.shape.gap
		c.num["ld"+name] = ld
		return c.shape.rows, width, (c.shape.rows-1)*ld + width
	}
	n := c.k.D[0]
	switch {
	case c.k.Op == "gemm":
		n = c.shape.tiles * kernel.Tile * c.k.D[0]
	case c.k.Op == "softmaxBlock" && name == "s":
		n = c.shape.rows * kernel.BlockKeys
	case c.k.Op == "softmaxBlock" || name == "a":
		n = c.shape.rows
	case scans(c.k) && (name == "h" || name == "w"):
		n = c.shape.tiles * kernel.Tile * c.k.D[0]
	case name == "s":
		n = 1
	}
	return 1, n, n
}

// buffer returns rows of normal values with canaries between and around.
func buffer(r *rand.Rand, rows, width, length int) []float32 {
	b := make([]float32, length+2*guard)
	for i := range b {
		b[i] = canary
	}
	stride := length
	if rows > 1 {
		stride = (length - width) / (rows - 1)
	}
	for row := range rows {
		for i := range width {
			b[guard+row*stride+i] = float32(r.NormFloat64())
		}
	}
	return b
}

// fill writes new values to the rows of a matrix.
func (c *call) fill(r *rand.Rand, name string) {
	for row := range c.shape.rows {
		at := guard + row*c.num["ld"+name]
		for i := range c.width(name) {
			c.floats[name][at+i] = float32(r.NormFloat64())
		}
	}
}

// bfloat16 returns weights, or rows to expand. The padding of an odd K is NaN:
// no kernel may use it.
func (c *call) bfloat16(r *rand.Rand, name string) []uint16 {
	n := c.shape.tiles * kernel.Tile * ((c.k.D[0] + 1) / 2 * 2)
	if c.k.Op == "expandBF16" {
		c.num["ldx"] = c.k.D[0] + c.shape.gap
		n = (c.shape.rows-1)*c.num["ldx"] + c.k.D[0]
	}
	b := make([]uint16, n+2*guard)
	for i := range b {
		b[i] = uint16(math.Float32bits(float32(r.NormFloat64())) >> 16)
		if c.k.S == "f16" {
			b[i] = quant.ToHalf(float32(r.NormFloat64()))
		}
	}
	if c.k.S == "bf16" && c.k.D[0]%2 == 1 {
		pairs := (c.k.D[0] + 1) / 2
		for t := range c.shape.tiles {
			for i := range kernel.Tile {
				b[guard+((t+1)*pairs-1)*2*kernel.Tile+2*i+1] = 0x7fc1
			}
		}
	}
	return b
}

// bounds returns the first or one past the last valid key of every row: all
// keys, a part, none, or limits outside the block.
func (c *call) bounds(r *rand.Rand, name string) []int32 {
	b := make([]int32, c.shape.rows+2*guard)
	for row := range c.shape.rows {
		lo, hi := int32(r.IntN(40)), int32(24+r.IntN(41))
		switch row % 4 {
		case 1:
			lo, hi = -1000, 1<<30
		case 2:
			lo, hi = 64, 64
		}
		b[guard+row] = lo
		if name == "hi" {
			b[guard+row] = hi
		}
	}
	return b
}

// start gives arguments with a meaning their first value.
func (c *call) start() {
	if scans(c.k) { // decays between 0 and 1
		for name, f := range map[string]func(v float64) float64{"dt": math.Abs, "w": func(v float64) float64 { return -math.Abs(v) },
			"a": func(v float64) float64 { return math.Exp(-math.Abs(v)) }} {
			for i, v := range c.floats[name] {
				if v == v {
					c.floats[name][i] = float32(f(float64(v)))
				}
			}
		}
	}
	if c.k.Op != "softmaxBlock" {
		return
	}
	for row := range c.shape.rows {
		m, l := float32(-1e30), float32(0)
		if row%3 == 1 {
			m, l = 0.7, 11
		}
		c.floats["m"][guard+row], c.floats["l"][guard+row] = m, l
		c.floats["alpha"][guard+row] = canary
	}
	for i := range c.shape.rows * kernel.BlockKeys {
		c.floats["s"][guard+i] *= 8
	}
}

// clone copies the buffers of a call; aliases stay aliases.
func (c *call) clone() *call {
	d := *c
	d.floats = map[string][]float32{}
	for name, b := range c.floats {
		d.floats[name] = append([]float32(nil), b...)
	}
	if a := c.shape.alias; a != "" {
		d.floats[a] = d.floats["y"]
	}
	return &d
}

// arguments returns the reflected arguments of the part of the call that begins
// at a row, slices or, for assembly, pointers.
func (c *call) arguments(from, rows int, pointers bool) []reflect.Value {
	var args []reflect.Value
	for _, p := range c.k.Params() {
		var v reflect.Value
		switch p.Type {
		case "[]float32":
			v = reflect.ValueOf(c.floats[p.Name][guard+c.offset(p.Name)*from:])
		case "[]uint16":
			v = reflect.ValueOf(c.halves[p.Name][guard+c.offset(p.Name)*from:])
		case "[]int8":
			v = reflect.ValueOf(c.bytes[p.Name][guard:])
		case "[]int32":
			v = reflect.ValueOf(c.ints[p.Name][guard+from:])
		default:
			n := c.num[p.Name]
			if p.Name == "rows" {
				n = rows
			}
			args = append(args, reflect.ValueOf(n))
			continue
		}
		if pointers {
			v = v.Index(0).Addr()
		}
		args = append(args, v)
	}
	return args
}

// offset is the distance between the data of two rows in a parameter; 0 when
// rows share it.
func (c *call) offset(name string) int {
	switch {
	case c.num["ld"+name] > 0:
		return c.num["ld"+name]
	case c.k.Op == "softmaxBlock" && name == "s":
		return kernel.BlockKeys
	case c.k.Op == "softmaxBlock" || name == "a":
		return 1
	}
	return 0
}

// runAssembly calls the kernel for an instruction set.
func (c *call) runAssembly(level string, from, rows int) {
	fn := reflect.ValueOf(functions[c.k.Name()+level])
	fn.Call(c.arguments(from, rows, true))
}

// runPortable calls the portable twin with its literals.
func (c *call) runPortable() {
	name, literals := c.k.Portable()
	fn := reflect.ValueOf(twins[name])
	args := c.arguments(0, c.shape.rows, false)
	for _, text := range literals {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			panic(err)
		}
		args = append(args, reflect.ValueOf(v).Convert(fn.Type().In(len(args))))
	}
	fn.Call(args)
}

func (c *call) String() string { return fmt.Sprintf("%s %+v", c.k.Name(), c.shape) }
