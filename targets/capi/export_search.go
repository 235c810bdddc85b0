package capi

// #include "internal.h"
import "C"

import (
	"unsafe"

	"github.com/tfgen/tfgen/runtime/generate"
)

//export tfgenGoEncode
func tfgenGoEncode(handle C.uintptr_t, ids *C.int32_t, count C.size_t, abort, user C.uintptr_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		return using(handle, abort, user, func(s *session, c *call) error {
			list, err := inputIDs(ids, count)
			if err != nil {
				return err
			}
			return s.encode(c, list)
		})
	})
}

// sequencesFound are the results of a search with the model that has found them.
type sequencesFound struct {
	model *Instance
	list  []generate.Sequence
}

//export tfgenGoSearch
func tfgenGoSearch(handle C.uintptr_t, text *C.char, length C.size_t, ids *C.int32_t, count C.size_t, g *C.tfgen_generation, out *C.uintptr_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		i, err := find[*instance](uintptr(handle))
		if err != nil {
			return err
		}
		p, err := promptOf(text, length, ids, count)
		if err != nil {
			return err
		}
		o, err := parameters(i.Instance, g)
		if err != nil {
			return err
		}
		list, err := i.search(newCall(uintptr(g.abort), uintptr(g.abort_user)), p, o)
		if err != nil {
			return err
		}
		*out = C.uintptr_t(publish(&sequencesFound{i.Instance, list}))
		return nil
	})
}

// found is a sequence of a search's results.
func found(handle C.uintptr_t, index C.size_t) (*sequencesFound, *generate.Sequence, error) {
	f, err := find[*sequencesFound](uintptr(handle))
	if err != nil {
		return nil, nil, err
	}
	if index >= C.size_t(len(f.list)) {
		return nil, nil, argument("sequence %d of %d", uint64(index), len(f.list))
	}
	return f, &f.list[index], nil
}

//export tfgenGoSequencesCount
func tfgenGoSequencesCount(handle C.uintptr_t, count *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		f, err := find[*sequencesFound](uintptr(handle))
		if err == nil {
			*count = C.size_t(len(f.list))
		}
		return err
	})
}

//export tfgenGoSequenceInfo
func tfgenGoSequenceInfo(handle C.uintptr_t, index C.size_t, info *C.tfgen_sequence_info, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		_, s, err := found(handle, index)
		if err != nil {
			return err
		}
		info.score, info.logprob, info.end, info.end_token = C.double(s.Score), C.double(s.LogProb), ends[s.Reason], C.int32_t(s.End)
		return nil
	})
}

//export tfgenGoSequenceIDs
func tfgenGoSequenceIDs(handle C.uintptr_t, index C.size_t, ids *C.int32_t, capacity C.size_t, count *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		_, s, err := found(handle, index)
		if err != nil {
			return err
		}
		return fill(s.Tokens, ids, capacity, count)
	})
}

//export tfgenGoSequenceText
func tfgenGoSequenceText(handle C.uintptr_t, index C.size_t, text *C.char, capacity C.size_t, length *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		f, s, err := found(handle, index)
		if err != nil {
			return err
		}
		if f.model.Tokenizer == nil {
			return noTokenizer()
		}
		return fillText(f.model.Tokenizer.Decode(s.Tokens, true), text, capacity, length)
	})
}

//export tfgenGoSequencesClose
func tfgenGoSequencesClose(handle C.uintptr_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		_, err := withdraw[*sequencesFound](uintptr(handle))
		return err
	})
}

//export tfgenGoLogProbs
func tfgenGoLogProbs(handle C.uintptr_t, values *C.float, capacity C.size_t, count *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		return using(handle, 0, 0, func(s *session, _ *call) error { return fill(s.odds.tokens, values, capacity, count) })
	})
}

//export tfgenGoTopLogProbs
func tfgenGoTopLogProbs(handle C.uintptr_t, ids *C.int32_t, values *C.float, capacity C.size_t, count *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		return using(handle, 0, 0, func(s *session, _ *call) error {
			if err := fill(s.odds.topIDs, ids, capacity, count); err != nil {
				return err
			}
			return fill(s.odds.topValues, values, capacity, count)
		})
	})
}

//export tfgenGoStreamLogProbs
func tfgenGoStreamLogProbs(handle C.uintptr_t, logprob *C.double, ids *C.int32_t, values *C.float, capacity C.size_t, count *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		st, err := find[*stream](uintptr(handle))
		if err != nil {
			return err
		}
		if !st.busy.CompareAndSwap(false, true) {
			return errBusy
		}
		defer st.busy.Store(false)
		top := st.last.top
		if err := fits(len(top), ids == nil && values == nil, capacity, count); err != nil {
			return err
		}
		if logprob != nil {
			*logprob = C.double(st.last.logprob)
		}
		for n, t := range top {
			if ids != nil {
				unsafe.Slice(ids, len(top))[n] = C.int32_t(t.ID)
			}
			if values != nil {
				unsafe.Slice(values, len(top))[n] = C.float(t.LogProb)
			}
		}
		return nil
	})
}
