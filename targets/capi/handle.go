package capi

import "sync"

// handles is the table of what is open. Numbers are never used twice.
var handles = struct {
	sync.RWMutex
	open map[uintptr]any
	last uintptr
}{open: map[uintptr]any{}}

// handleStep keeps handles apart from small numbers that a caller may hold by mistake.
const handleStep = 16

// publish gives v a handle.
func publish(v any) uintptr {
	handles.Lock()
	defer handles.Unlock()
	handles.last += handleStep
	handles.open[handles.last] = v
	return handles.last
}

// find returns what a handle stands for.
func find[T any](h uintptr) (v T, err error) {
	handles.RLock()
	v, ok := handles.open[h].(T)
	handles.RUnlock()
	if !ok {
		return v, errHandle
	}
	return v, nil
}

// withdraw removes a handle and returns what it stood for; of several callers one succeeds.
func withdraw[T any](h uintptr) (v T, err error) {
	handles.Lock()
	defer handles.Unlock()
	v, ok := handles.open[h].(T)
	if !ok {
		return v, errHandle
	}
	delete(handles.open, h)
	return v, nil
}
