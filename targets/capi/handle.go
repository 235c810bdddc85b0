package capi

import (
	"maps"
	"sync"
	"sync/atomic"
)

// handles is the table of what is open. Numbers are never used twice. Looking one up takes no lock: the table that open
// points to never changes, a new one takes its place.
var handles struct {
	sync.Mutex
	open atomic.Pointer[map[uintptr]any]
	last uintptr
}

func init() { handles.open.Store(&map[uintptr]any{}) }

// handleStep keeps handles apart from small numbers that a caller may hold by mistake.
const handleStep = 16

// publish gives v a handle.
func publish(v any) uintptr {
	handles.Lock()
	defer handles.Unlock()
	handles.last += handleStep
	next := maps.Clone(*handles.open.Load())
	next[handles.last] = v
	handles.open.Store(&next)
	return handles.last
}

// find returns what a handle stands for.
func find[T any](h uintptr) (T, error) {
	if v, ok := (*handles.open.Load())[h].(T); ok {
		return v, nil
	}
	var none T
	return none, errHandle
}

// withdraw removes a handle and returns what it stood for; of several callers one succeeds.
func withdraw[T any](h uintptr) (T, error) {
	handles.Lock()
	defer handles.Unlock()
	v, err := find[T](h)
	if err == nil {
		next := maps.Clone(*handles.open.Load())
		delete(next, h)
		handles.open.Store(&next)
	}
	return v, err
}
