package checkpoint

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/gen/checkpoint/dtype"
)

// floatTypes are the element types of scales.
var floatTypes = []dtype.DType{dtype.F32, dtype.F16, dtype.BF16}

// integer reads a whole number of a configuration; absent is the default.
func integer(config map[string]any, key string, absent int) (int, error) {
	v, ok := config[key]
	if !ok || v == nil {
		return absent, nil
	}
	n, isNumber := v.(json.Number)
	k, err := n.Int64()
	if !isNumber || err != nil || k < -1 || k > 1<<20 {
		return 0, fmt.Errorf("%s is %v, expected a whole number", key, v)
	}
	return int(k), nil
}

// groupsOf returns the size of groups along so many columns: −1 is one group.
func groupsOf(size, cols int) (int, error) {
	if size == -1 {
		size = cols
	}
	if size < 1 {
		return 0, fmt.Errorf("group_size is %d", size)
	}
	return size, nil
}

// An intLayer is a matrix of integers in columns of the weight: values of neighbouring inputs (GPTQ) or outputs (AWQ) one
// behind another in the bits of words, zero points of outputs likewise, and a scale for each group of inputs and output.
type intLayer struct {
	stem                   string
	bits, group            int
	in, out                int
	qweight, zeros, scales Tensor
	order                  []Tensor // g_idx, if the groups are not in the order of inputs
}

// intLayerOf finds the parts of a layer; packed is how many inputs a word of qweight has.
func (s *scaled) intLayerOf(stem string, bits, groupSize int, gptq bool) (*intLayer, error) {
	l := &intLayer{stem: stem, bits: bits}
	var err error
	if l.qweight, err = s.part(stem+".qweight", 2, dtype.I32, dtype.U32); err != nil {
		return nil, err
	}
	if l.zeros, err = s.part(stem+".qzeros", 2, dtype.I32, dtype.U32); err != nil {
		return nil, err
	}
	if l.scales, err = s.part(stem+".scales", 2, floatTypes...); err != nil {
		return nil, err
	}
	l.in, l.out = l.qweight.Shape[0], l.qweight.Shape[1]*32/bits
	whole := l.qweight.Shape[1]*32%bits == 0
	if gptq {
		l.in, l.out = l.qweight.Shape[0]*32/bits, l.qweight.Shape[1]
		whole = l.qweight.Shape[0]*32%bits == 0
	}
	if l.group, err = groupsOf(groupSize, l.in); err != nil {
		return nil, err
	}
	groups := (l.in + l.group - 1) / l.group
	if !whole || l.scales.Shape[0] != groups || l.scales.Shape[1] != l.out || l.zeros.Shape[0] != groups || l.zeros.Shape[1]*32 != l.out*bits {
		return nil, fmt.Errorf("layer %s: qweight %v, qzeros %v and scales %v do not fit together with %d bits in groups of %d",
			stem, l.qweight.Shape, l.zeros.Shape, l.scales.Shape, bits, l.group)
	}
	if t, ok := s.Source.Tensor(stem + ".g_idx"); ok && gptq {
		if t.DType != dtype.I32 || len(t.Shape) != 1 || t.Shape[0] != l.in {
			return nil, fmt.Errorf("tensor %s is %v of shape %v, expected %d I32", t.Name, t.DType, t.Shape, l.in)
		}
		l.order = []Tensor{t}
	}
	return l, nil
}

// parts are the names of the tensors of a layer.
func (l *intLayer) parts() []string {
	list := []string{l.qweight.Name, l.zeros.Name, l.scales.Name}
	for _, t := range l.order {
		list = append(list, t.Name)
	}
	return list
}

// gptq undoes GPTQ (Frantar et al. 2022) as AutoGPTQ and GPTQModel store it: w[out][in] = scale·(q − zero), the zero points
// less one in the first version of the format.
func (s *scaled) gptq(config map[string]any) error {
	shift := uint32(1)
	if config["checkpoint_format"] == "gptq_v2" {
		shift = 0
	}
	return s.intLayers(config, true, func(l *intLayer) ([]float32, error) { return s.readGPTQ(l, shift) })
}

// awq undoes AWQ (Lin et al. 2023) in its gemm version: eight outputs in a word in the order 0 2 4 6 1 3 5 7.
func (s *scaled) awq(config map[string]any) error {
	if v, ok := config["version"].(string); ok && strings.ToLower(v) != "gemm" {
		return fmt.Errorf("version %q is not supported; gemm is", v)
	}
	return s.intLayers(config, false, s.readAWQ)
}

// intLayers derives the weights of all layers with a qweight.
func (s *scaled) intLayers(config map[string]any, gptq bool, read func(l *intLayer) ([]float32, error)) error {
	bits, err := integer(config, "bits", 4)
	if err == nil && (bits != 4 && (!gptq || bits != 2 && bits != 3 && bits != 8)) {
		err = fmt.Errorf("%d bits are not supported; 4 are, and 2, 3 and 8 by GPTQ", bits)
	}
	group := 0
	if err == nil {
		group, err = integer(config, "group_size", 128)
	}
	if err != nil {
		return err
	}
	for _, t := range s.Source.Tensors() {
		stem, ok := strings.CutSuffix(t.Name, ".qweight")
		if !ok {
			continue
		}
		l, err := s.intLayerOf(stem, bits, group, gptq)
		if err != nil {
			return err
		}
		if err := s.derive(stem+".weight", l.out, l.in, l.parts(), func() ([]float32, error) { return read(l) }); err != nil {
			return err
		}
	}
	return s.list()
}

// load reads the integers, zero points and scales of a layer.
func (s *scaled) load(l *intLayer) (q, zeros []uint32, scales []float32, err error) {
	if q, err = s.words(l.qweight); err != nil {
		return nil, nil, nil, err
	}
	if zeros, err = s.words(l.zeros); err != nil {
		return nil, nil, nil, err
	}
	scales, err = s.floats(l.scales)
	return q, zeros, scales, err
}

// groupOf returns the group of each input.
func (s *scaled) groupOf(l *intLayer) ([]int, error) {
	groups := make([]int, l.in)
	for i := range groups {
		groups[i] = i / l.group
	}
	for _, t := range l.order {
		index, err := s.words(t)
		if err != nil {
			return nil, err
		}
		for i, g := range index {
			if int(g) >= l.scales.Shape[0] || g > 1<<30 {
				return nil, fmt.Errorf("input %d is in group %d of %d", i, int32(g), l.scales.Shape[0])
			}
			groups[i] = int(g)
		}
	}
	return groups, nil
}

func (s *scaled) readGPTQ(l *intLayer, shift uint32) ([]float32, error) {
	q, zeros, scales, err := s.load(l)
	if err != nil {
		return nil, err
	}
	groups, err := s.groupOf(l)
	if err != nil {
		return nil, err
	}
	across := l.zeros.Shape[1]
	w := make([]float32, l.out*l.in)
	for i, g := range groups {
		for o := range l.out {
			zero := bitsAt(zeros[g*across:], 1, o, l.bits) + shift
			w[o*l.in+i] = scales[g*l.out+o] * float32(int32(bitsAt(q[o:], l.out, i, l.bits)-zero))
		}
	}
	return w, nil
}

// bitsAt returns value i of those that follow each other in the bits of words, which are stride apart. Values of 3 bits go over
// the end of a word.
func bitsAt(words []uint32, stride, i, bits int) uint32 {
	word, down := i*bits/32*stride, i*bits%32
	v := words[word] >> down
	if down+bits > 32 {
		v |= words[word+stride] << (32 - down)
	}
	return v & (1<<bits - 1)
}

// awqOrder is where output i of eight is in a word.
var awqOrder = [8]int{0, 4, 1, 5, 2, 6, 3, 7}

func (s *scaled) readAWQ(l *intLayer) ([]float32, error) {
	q, zeros, scales, err := s.load(l)
	if err != nil {
		return nil, err
	}
	w := make([]float32, l.out*l.in)
	across := l.out / 8
	for i := range l.in {
		g := i / l.group
		for o := range l.out {
			down := 4 * awqOrder[o%8]
			v := int32(q[i*across+o/8]>>down&15) - int32(zeros[g*across+o/8]>>down&15)
			w[o*l.in+i] = scales[g*l.out+o] * float32(v)
		}
	}
	return w, nil
}
