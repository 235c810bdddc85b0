package capi

// #include "internal.h"
import "C"

import "github.com/tfgen/tfgen/runtime/tokenizer"

// Flags of tokenizing as in tfgen.h.
const (
	addSpecial = 1 << iota
	literal
	skipSpecial
)

// tokenizerOf returns the tokenizer of an open model.
func tokenizerOf(handle C.uintptr_t) (*tokenizer.Tokenizer, error) {
	i, err := find[*instance](uintptr(handle))
	if err == nil && i.Tokenizer == nil {
		err = noTokenizer()
	}
	if err != nil {
		return nil, err
	}
	return i.Tokenizer, nil
}

//export tfgenGoTokenize
func tfgenGoTokenize(handle C.uintptr_t, text *C.char, length C.size_t, flags C.uint32_t, ids *C.int32_t, capacity C.size_t, count *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		t, err := tokenizerOf(handle)
		if err != nil {
			return err
		}
		s, err := inputText(text, length)
		if err != nil {
			return err
		}
		if flags&literal != 0 {
			return fill(t.EncodeLiteral(s, flags&addSpecial != 0), ids, capacity, count)
		}
		return fill(t.Encode(s, flags&addSpecial != 0), ids, capacity, count)
	})
}

//export tfgenGoDetokenize
func tfgenGoDetokenize(handle C.uintptr_t, ids *C.int32_t, count C.size_t, flags C.uint32_t, text *C.char, capacity C.size_t, length *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		t, err := tokenizerOf(handle)
		if err != nil {
			return err
		}
		list, err := inputIDs(ids, count)
		if err != nil {
			return err
		}
		for i, id := range list {
			if err := known(id); err != nil {
				return &coded{codeToken, err.Error() + at(i)}
			}
		}
		return fillText(t.Decode(list, flags&skipSpecial != 0), text, capacity, length)
	})
}

//export tfgenGoTokenText
func tfgenGoTokenText(handle C.uintptr_t, id C.int32_t, text *C.char, capacity C.size_t, length *C.size_t, special *C.int32_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		t, err := tokenizerOf(handle)
		if err != nil {
			return err
		}
		if err := known(int32(id)); err != nil {
			return err
		}
		if special != nil {
			*special = 0
			if t.IsSpecial(int32(id)) {
				*special = 1
			}
		}
		return fillText(t.Token(int32(id)), text, capacity, length)
	})
}

//export tfgenGoTokenID
func tfgenGoTokenID(handle C.uintptr_t, text *C.char, length C.size_t, id *C.int32_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		t, err := tokenizerOf(handle)
		if err != nil {
			return err
		}
		s, err := inputText(text, length)
		if err != nil {
			return err
		}
		*id = -1
		if found, ok := t.TokenID(s); ok {
			*id = C.int32_t(found)
		}
		return nil
	})
}
