package capi

// #include "internal.h"
import "C"

import "fmt"

//export tfgenGoInfo
func tfgenGoInfo(info *C.tfgen_info, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		m := &model
		info.name, info.title, info.architecture = C.CString(m.Name), C.CString(m.Title), C.CString(m.Architecture)
		info.weight_format, info.weights_file, info.outputs = C.CString(m.WeightFormat), C.CString(m.WeightsFile), C.CString(m.outputNames())
		info.parameters, info.weights_bytes, info.features = C.int64_t(m.Parameters), C.int64_t(m.WeightsBytes), C.uint32_t(m.features())
		info.layers, info.width, info.vocabulary = C.int32_t(m.Layers), C.int32_t(m.Width), C.int32_t(m.Vocabulary)
		info.max_context, info.max_batch, info.max_tokens = C.int32_t(m.MaxContext), C.int32_t(m.MaxBatch), C.int32_t(m.MaxTokens)
		info.embedding_size, info.labels = C.int32_t(m.EmbeddingSize), C.int32_t(m.classes())
		return nil
	})
}

//export tfgenGoMemory
func tfgenGoMemory(threads, sessions, context C.int32_t, memory *C.tfgen_memory, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		u, err := model.memory(int(threads), int(sessions), int(context))
		if err != nil {
			return err
		}
		memory.weights, memory.activations, memory.worker = C.int64_t(u.weights), C.int64_t(u.activations), C.int64_t(u.worker)
		memory.session, memory.total = C.int64_t(u.session), C.int64_t(u.total)
		return nil
	})
}

//export tfgenGoLabel
func tfgenGoLabel(i C.int32_t, text *C.char, capacity C.size_t, length *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		label, err := model.label(int(i))
		if err != nil {
			return err
		}
		return fillText(label, text, capacity, length)
	})
}

//export tfgenGoEndTokens
func tfgenGoEndTokens(ids *C.int32_t, capacity C.size_t, count *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error { return fill(model.EOS, ids, capacity, count) })
}

//export tfgenGoStartTokens
func tfgenGoStartTokens(ids *C.int32_t, capacity C.size_t, count *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error { return fill(model.Start, ids, capacity, count) })
}

//export tfgenGoOpen
func tfgenGoOpen(path *C.char, threads, verify C.int32_t, handle *C.uintptr_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		if threads < 0 || threads > maxThreads {
			return argument("%d threads, expected 0 to %d", threads, maxThreads)
		}
		if err := reserve(model.ActivationBytes + int64(threads)*model.WorkerBytes); err != nil {
			return err
		}
		name := ""
		if path != nil {
			name = C.GoString(path)
		}
		i, err := model.open(name, path != nil, int(threads))
		if err != nil {
			return err
		}
		if verify != 0 {
			if err := polled(0, 0, i.Verify); err != nil {
				i.Close()
				return err
			}
		}
		*handle = C.uintptr_t(publish(&instance{i}))
		return nil
	})
}

// reserve reports memory that is not there, which Go's allocator would end the process for.
func reserve(bytes int64) error {
	const slack = 64 << 20 // Go takes memory in blocks of this size
	if bytes > 0 && C.tfgen_can_map(C.size_t(bytes+slack)) == 0 {
		return &coded{codeMemory, fmt.Sprintf("there is no memory for %d bytes", bytes)}
	}
	return nil
}

//export tfgenGoClose
func tfgenGoClose(handle C.uintptr_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		i, err := withdraw[*instance](uintptr(handle))
		if err != nil {
			return err
		}
		return i.Close()
	})
}

//export tfgenGoVerify
func tfgenGoVerify(handle, abort, user C.uintptr_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		i, err := find[*instance](uintptr(handle))
		if err != nil {
			return err
		}
		return polled(uintptr(abort), uintptr(user), i.Verify)
	})
}

//export tfgenGoThreads
func tfgenGoThreads(handle C.uintptr_t, threads *C.int32_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		i, err := find[*instance](uintptr(handle))
		if err != nil {
			return err
		}
		*threads = C.int32_t(i.Threads)
		return nil
	})
}

//export tfgenGoTrace
func tfgenGoTrace(handle C.uintptr_t, source *C.int32_t, sourceCount C.size_t, ids, types *C.int32_t, count C.size_t, name *C.char, values *C.float, capacity C.size_t, size *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		i, err := find[*instance](uintptr(handle))
		if err != nil {
			return err
		}
		q, err := sequence(ids, types, count)
		if err == nil {
			q.Source, err = inputIDs(source, sourceCount)
		}
		if err != nil {
			return err
		}
		rows, err := i.trace(q, C.GoString(name))
		if err != nil {
			return err
		}
		return fillRows(rows, values, capacity, size)
	})
}

// sequence is one input of the caller's.
func sequence(ids, types *C.int32_t, count C.size_t) (q Sequence, err error) {
	if q.Tokens, err = inputIDs(ids, count); err == nil && types != nil {
		q.Types, err = inputIDs(types, count)
	}
	return q, err
}
