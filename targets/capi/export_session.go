package capi

// #include "internal.h"
import "C"

import (
	"bytes"
	"errors"
	"unsafe"

	"github.com/tfgen/tfgen/runtime/snapshot"
)

//export tfgenGoSessionOpen
func tfgenGoSessionOpen(handle C.uintptr_t, context C.int32_t, out *C.uintptr_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		i, err := find[*instance](uintptr(handle))
		if err != nil {
			return err
		}
		if i.NewSession == nil {
			return unsupported("%s is an encoder: it has no sessions", model.Name)
		}
		if context < 0 || int(context) > model.MaxContext {
			return argument("a context of %d tokens, expected 1 to %d, or 0 for the longest", context, model.MaxContext)
		}
		u, err := model.memory(0, 1, int(context))
		if err != nil {
			return err
		}
		if err := reserve(u.session); err != nil {
			return err
		}
		steps, err := i.NewSession(int(context))
		if err != nil {
			return err
		}
		*out = C.uintptr_t(publish(newSession(steps, i.Instance)))
		return nil
	})
}

//export tfgenGoSessionClose
func tfgenGoSessionClose(handle C.uintptr_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error { return closeSession(uintptr(handle)) })
}

//export tfgenGoSessionCancel
func tfgenGoSessionCancel(handle C.uintptr_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		s, err := find[*session](uintptr(handle))
		if err == nil {
			s.cancel()
		}
		return err
	})
}

// using runs work with a session that no other call uses meanwhile.
func using(handle, abort, user C.uintptr_t, work func(s *session, c *call) error) error {
	s, err := find[*session](uintptr(handle))
	if err != nil {
		return err
	}
	c, err := s.begin(uintptr(abort), uintptr(user))
	if err != nil {
		return err
	}
	defer s.end()
	return work(s, c)
}

//export tfgenGoSessionReset
func tfgenGoSessionReset(handle C.uintptr_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		return using(handle, 0, 0, func(s *session, _ *call) error {
			s.steps.Reset()
			s.logits = nil
			return nil
		})
	})
}

//export tfgenGoSessionLength
func tfgenGoSessionLength(handle C.uintptr_t, length, context *C.int32_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		return using(handle, 0, 0, func(s *session, _ *call) error {
			if length != nil {
				*length = C.int32_t(s.steps.Len())
			}
			if context != nil {
				*context = C.int32_t(s.steps.Context())
			}
			return nil
		})
	})
}

//export tfgenGoPrefill
func tfgenGoPrefill(handle C.uintptr_t, ids *C.int32_t, count C.size_t, abort, user C.uintptr_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		return using(handle, abort, user, func(s *session, c *call) error {
			list, err := inputIDs(ids, count)
			if err != nil {
				return err
			}
			return s.keep(s.steps.Prefill(c, list))
		})
	})
}

//export tfgenGoDecode
func tfgenGoDecode(handle C.uintptr_t, id C.int32_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		return using(handle, 0, 0, func(s *session, c *call) error { return s.keep(s.steps.Decode(c, int32(id))) })
	})
}

//export tfgenGoLogits
func tfgenGoLogits(handle C.uintptr_t, logits **C.float, count *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		return using(handle, 0, 0, func(s *session, _ *call) error {
			if s.logits == nil {
				return argument("the session has no logits: no token has been given")
			}
			*logits = (*C.float)(unsafe.SliceData(s.logits))
			if count != nil {
				*count = C.size_t(len(s.logits))
			}
			return nil
		})
	})
}

//export tfgenGoScore
func tfgenGoScore(handle C.uintptr_t, ids *C.int32_t, count C.size_t, abort, user C.uintptr_t, logits *C.float, capacity C.size_t, size *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		return using(handle, abort, user, func(s *session, c *call) error {
			list, err := inputIDs(ids, count)
			if err != nil {
				return err
			}
			if err := fits(len(list)*model.Vocabulary, logits == nil, capacity, size); err != nil || logits == nil {
				return err
			}
			out := unsafe.Slice((*float32)(unsafe.Pointer(logits)), len(list)*model.Vocabulary)
			return s.steps.Score(c, list, func(i int, row []float32) error {
				copy(out[i*model.Vocabulary:], row)
				return nil
			})
		})
	})
}

//export tfgenGoDecodeBatch
func tfgenGoDecodeBatch(handles *C.uintptr_t, ids *C.int32_t, count C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		list, err := input(handles, count, "sessions")
		if err != nil {
			return err
		}
		tokens, err := inputIDs(ids, count)
		if err != nil {
			return err
		}
		numbers := make([]uintptr, len(list))
		for i, h := range list {
			numbers[i] = uintptr(h)
		}
		return decodeBatch(numbers, tokens)
	})
}

//export tfgenGoSessionTruncate
func tfgenGoSessionTruncate(handle C.uintptr_t, length C.int32_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		return using(handle, 0, 0, func(s *session, _ *call) error {
			if length < 0 || int(length) > s.steps.Len() {
				return argument("%d tokens of %d", length, s.steps.Len())
			}
			err := s.steps.Truncate(int(length))
			if errors.Is(err, snapshot.ErrForgotten) {
				return unsupported("%v", err)
			}
			if err == nil {
				s.logits = nil
			}
			return err
		})
	})
}

//export tfgenGoSessionFork
func tfgenGoSessionFork(handle C.uintptr_t, out *C.uintptr_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		return using(handle, 0, 0, func(s *session, _ *call) error {
			u, err := model.memory(0, 1, s.steps.Context())
			if err != nil {
				return err
			}
			if err := reserve(u.session); err != nil {
				return err
			}
			steps, err := s.model.Fork(s.steps)
			if err != nil {
				return err
			}
			*out = C.uintptr_t(publish(newSession(steps, s.model)))
			return nil
		})
	})
}

//export tfgenGoSessionSave
func tfgenGoSessionSave(handle C.uintptr_t, data unsafe.Pointer, capacity C.size_t, size *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		return using(handle, 0, 0, func(s *session, _ *call) error {
			var b bytes.Buffer
			if err := s.steps.Save(&b); err != nil {
				return err
			}
			return fill(b.Bytes(), (*byte)(data), capacity, size)
		})
	})
}

//export tfgenGoSessionRestore
func tfgenGoSessionRestore(handle C.uintptr_t, data unsafe.Pointer, size C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		return using(handle, 0, 0, func(s *session, _ *call) error {
			b, err := input((*byte)(data), size, "bytes")
			if err != nil {
				return err
			}
			s.logits = nil
			return s.steps.Restore(bytes.NewReader(b))
		})
	})
}
