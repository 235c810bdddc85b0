package sample

// twister is the generator MT19937 (Matsumoto & Nishimura, Mersenne Twister,
// 1998) as PyTorch's CPU generator seeds and reads it, which decides what
// transformers' watermarks are.
type twister struct {
	state [624]uint32
	next  int
}

// seed starts from the lower 32 bits of a seed.
func (t *twister) seed(s uint64) {
	t.state[0] = uint32(s)
	for i := 1; i < len(t.state); i++ {
		v := t.state[i-1]
		t.state[i] = 1812433253*(v^v>>30) + uint32(i)
	}
	t.next = len(t.state)
}

// refill computes the next 624 numbers.
func (t *twister) refill() {
	for i := range t.state {
		y := t.state[i]&0x80000000 | t.state[(i+1)%624]&0x7fffffff
		v := t.state[(i+397)%624] ^ y>>1
		if y&1 != 0 {
			v ^= 0x9908b0df
		}
		t.state[i] = v
	}
	t.next = 0
}

// uint32 returns the next number.
func (t *twister) uint32() uint32 {
	if t.next == len(t.state) {
		t.refill()
	}
	y := t.state[t.next]
	t.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// permute fills p with a random permutation of 0 … len(p)−1 (torch.randperm).
// Only the first count elements need to be right.
func (t *twister) permute(p []int32, count int) {
	for i := range p {
		p[i] = int32(i)
	}
	n := uint32(len(p))
	for i := range uint32(min(count, len(p))) {
		j := i + t.uint32()%(n-i)
		p[i], p[j] = p[j], p[i]
	}
}
