package capi

// #include <string.h>
// #include "internal.h"
import "C"

import (
	"fmt"
	"unicode/utf8"
	"unsafe"
)

func init() {
	callAbort = func(function, user uintptr) bool {
		return C.tfgen_call_abort(C.uintptr_t(function), C.uintptr_t(user)) != 0
	}
}

// guarded runs one call and returns its code. Errors and panics go into the status, which may be NULL.
func guarded(status *C.tfgen_status, work func() error) (c C.tfgen_code) {
	defer func() {
		if r := recover(); r != nil {
			c = report(status, panicked(r))
		}
	}()
	if err := work(); err != nil {
		return report(status, err)
	}
	if status != nil {
		status.code, status.message[0] = 0, 0
	}
	return 0
}

// report fills a status with an error. A message that does not fit is cut at the end of a character.
func report(status *C.tfgen_status, err error) C.tfgen_code {
	c := C.tfgen_code(codeOf(err))
	if status == nil {
		return c
	}
	text := err.Error()
	if most := len(status.message) - 1; len(text) > most {
		for most > 0 && !utf8.RuneStart(text[most]) {
			most--
		}
		text = text[:most]
	}
	status.code = c
	message := (*[C.TFGEN_MESSAGE_SIZE]byte)(unsafe.Pointer(&status.message))
	message[copy(message[:], text)] = 0
	return c
}

// most is the largest number of elements that a caller can mean.
const most = 1 << 40

// input is a list of the caller's.
func input[T any](p *T, count C.size_t, what string) ([]T, error) {
	if count > most || p == nil && count > 0 {
		return nil, argument("%d %s at NULL or more than %d", uint64(count), what, uint64(most))
	}
	return unsafe.Slice(p, int(count)), nil
}

// ids is a list of token ids of the caller's.
func inputIDs(p *C.int32_t, count C.size_t) ([]int32, error) {
	return input((*int32)(unsafe.Pointer(p)), count, "token ids")
}

// text is a text of the caller's, valid during the call.
func inputText(p *C.char, length C.size_t) (string, error) {
	if p == nil {
		return "", argument("the text is NULL")
	}
	if length == ^C.size_t(0) {
		length = C.strlen(p)
	}
	if length > most {
		return "", argument("a text of %d bytes", uint64(length))
	}
	return unsafe.String((*byte)(unsafe.Pointer(p)), int(length)), nil
}

// inputTexts are texts of the caller's, valid during the call.
func inputTexts(p **C.char, lengths *C.size_t, count C.size_t) ([]string, error) {
	list, err := input(p, count, "texts")
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(list))
	for i, text := range list {
		length := ^C.size_t(0)
		if lengths != nil {
			length = unsafe.Slice(lengths, len(list))[i]
		}
		if texts[i], err = inputText(text, length); err != nil {
			return nil, fmt.Errorf("text %d: %w", i, err)
		}
	}
	return texts, nil
}

// fill copies a result of any size into the caller's buffer, or only sets the size if there is none.
func fill[T, C2 any](values []T, buffer *C2, capacity C.size_t, size *C.size_t) error {
	if err := fits(len(values), buffer == nil, capacity, size); err != nil || buffer == nil {
		return err
	}
	copy(unsafe.Slice((*T)(unsafe.Pointer(buffer)), len(values)), values)
	return nil
}

// fits sets the size of a result and checks the caller's buffer, if there is one.
func fits(n int, none bool, capacity C.size_t, size *C.size_t) error {
	if size != nil {
		*size = C.size_t(n)
	} else if none {
		return argument("neither a buffer nor a place for the size")
	}
	if !none && capacity < C.size_t(n) {
		return &coded{codeBuffer, fmt.Sprintf("the buffer has room for %d elements, %d are needed", uint64(capacity), n)}
	}
	return nil
}

// fillText copies a text into the caller's buffer, or only sets its length if there is none.
func fillText(text string, buffer *C.char, capacity C.size_t, length *C.size_t) error {
	return fill(unsafe.Slice(unsafe.StringData(text), len(text)), buffer, capacity, length)
}

// fillRows copies rows one behind another.
func fillRows(rows [][]float32, buffer *C.float, capacity C.size_t, size *C.size_t) error {
	total := 0
	for _, r := range rows {
		total += len(r)
	}
	if err := fits(total, buffer == nil, capacity, size); err != nil || buffer == nil {
		return err
	}
	out := unsafe.Slice((*float32)(unsafe.Pointer(buffer)), total)
	for _, r := range rows {
		out = out[copy(out, r):]
	}
	return nil
}
