package tokenizer

// A heap of numbers, least first, with four children a node.

func heapify(h []uint64) {
	for i := (len(h) - 2) / 4; i >= 0 && len(h) > 1; i-- {
		sink(h, i)
	}
}

func sink(h []uint64, i int) {
	v := h[i]
	for {
		c := 4*i + 1
		if c >= len(h) {
			break
		}
		least := c
		for k := c + 1; k < min(c+4, len(h)); k++ {
			if h[k] < h[least] {
				least = k
			}
		}
		if h[least] >= v {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = v
}

// pop removes and returns the least number of a heap that is not empty.
func pop(p *[]uint64) uint64 {
	h := *p
	top := h[0]
	h[0] = h[len(h)-1]
	h = h[:len(h)-1]
	if len(h) > 1 {
		sink(h, 0)
	}
	*p = h
	return top
}

func pushHeap(p *[]uint64, v uint64) {
	h := append(*p, v)
	i := len(h) - 1
	for i > 0 {
		up := (i - 1) / 4
		if h[up] <= v {
			break
		}
		h[i] = h[up]
		i = up
	}
	h[i] = v
	*p = h
}
