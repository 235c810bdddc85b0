package capi

// #include "internal.h"
import "C"

// texts reads a batch of texts for an open model that has the wanted feature.
func (i *instance) texts(feature uint32, what string, texts **C.char, lengths *C.size_t, count C.size_t) ([]string, error) {
	if model.features()&feature == 0 {
		return nil, unsupported("%s does not %s", model.Name, what)
	}
	return inputTexts(texts, lengths, count)
}

//export tfgenGoEmbed
func tfgenGoEmbed(handle C.uintptr_t, texts **C.char, lengths *C.size_t, count C.size_t, abort, user C.uintptr_t, vectors *C.float, capacity C.size_t, size *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		i, err := find[*instance](uintptr(handle))
		if err != nil {
			return err
		}
		list, err := i.texts(canEmbed, "embed texts", texts, lengths, count)
		if err != nil {
			return err
		}
		if err := fits(len(list)*model.EmbeddingSize, vectors == nil, capacity, size); err != nil || vectors == nil {
			return err
		}
		rows, err := model.Embed(i.Instance, newCall(uintptr(abort), uintptr(user)), list)
		if err != nil {
			return err
		}
		return fillRows(rows, vectors, capacity, size)
	})
}

//export tfgenGoClassify
func tfgenGoClassify(handle C.uintptr_t, texts **C.char, lengths *C.size_t, pairs **C.char, pairLengths *C.size_t, count C.size_t, readable C.int32_t, abort, user C.uintptr_t, scores *C.float, capacity C.size_t, size *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		i, err := find[*instance](uintptr(handle))
		if err != nil {
			return err
		}
		list, err := i.texts(canClassify, "classify texts", texts, lengths, count)
		if err != nil {
			return err
		}
		var second []string
		if pairs != nil {
			if second, err = inputTexts(pairs, pairLengths, count); err != nil {
				return err
			}
		}
		if err := fits(len(list)*model.classes(), scores == nil, capacity, size); err != nil || scores == nil {
			return err
		}
		rows, err := model.Classify(i.Instance, newCall(uintptr(abort), uintptr(user)), list, second)
		if err != nil {
			return err
		}
		if readable != 0 && model.Scores != nil {
			for _, row := range rows {
				for n, p := range model.Scores(row) {
					row[n] = float32(p)
				}
			}
		}
		return fillRows(rows, scores, capacity, size)
	})
}

//export tfgenGoRun
func tfgenGoRun(handle C.uintptr_t, ids, types *C.int32_t, lengths *C.size_t, count C.size_t, output *C.char, abort, user C.uintptr_t, values *C.float, capacity C.size_t, size *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		i, err := find[*instance](uintptr(handle))
		if err != nil {
			return err
		}
		if i.Run == nil {
			return unsupported("%s is a decoder: it has sessions", model.Name)
		}
		o, err := model.output(C.GoString(output))
		if err != nil {
			return err
		}
		batch, total, err := sequences(ids, types, lengths, count)
		if err != nil {
			return err
		}
		rows := len(batch)
		if o.ByToken {
			rows = total
		}
		if err := fits(rows*o.Width, values == nil, capacity, size); err != nil || values == nil {
			return err
		}
		results, err := i.Run(newCall(uintptr(abort), uintptr(user)), batch, o.Name)
		if err != nil {
			return err
		}
		return fillRows(results, values, capacity, size)
	})
}

// sequences cuts a list of ids into sequences.
func sequences(ids, types *C.int32_t, lengths *C.size_t, count C.size_t) (batch []Sequence, total int, err error) {
	sizes, err := input(lengths, count, "lengths")
	if err != nil {
		return nil, 0, err
	}
	for i, n := range sizes {
		if n == 0 || n > C.size_t(model.MaxContext) {
			return nil, 0, &coded{codeContext, sequenceLength(i, uint64(n))}
		}
		total += int(n)
	}
	q, err := sequence(ids, types, C.size_t(total))
	if err != nil {
		return nil, 0, err
	}
	for _, n := range sizes {
		one := Sequence{Tokens: q.Tokens[:n]}
		q.Tokens = q.Tokens[n:]
		if q.Types != nil {
			one.Types, q.Types = q.Types[:n], q.Types[n:]
		}
		batch = append(batch, one)
	}
	return batch, total, nil
}
