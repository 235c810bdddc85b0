package capi

// #include "internal.h"
import "C"

import (
	"unsafe"

	"github.com/tfgen/tfgen/runtime/heads"
)

// part is a tfgen_part before it is copied to C.
type part struct {
	label      string
	begin, end int
	score      float64
}

// fillParts copies parts of a text into the caller's buffer, or only sets their number if there is none.
func fillParts(parts []part, buffer *C.tfgen_part, capacity C.size_t, count *C.size_t) error {
	if err := fits(len(parts), buffer == nil, capacity, count); err != nil || buffer == nil {
		return err
	}
	for i, p := range parts {
		out := &unsafe.Slice(buffer, len(parts))[i]
		out.begin, out.end, out.score = C.size_t(p.begin), C.size_t(p.end), C.double(p.score)
		label := (*[C.TFGEN_LABEL_SIZE]byte)(unsafe.Pointer(&out.label))
		clear(label[copy(label[:len(label)-1], p.label):])
	}
	return nil
}

//export tfgenGoRank
func tfgenGoRank(handle C.uintptr_t, query *C.char, queryLength C.size_t, texts **C.char, lengths *C.size_t, count C.size_t, abort, user C.uintptr_t, order *C.size_t, scores *C.double, capacity C.size_t, size *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		i, err := find[*instance](uintptr(handle))
		if err != nil {
			return err
		}
		if i.Rank == nil {
			return unsupported("%s does not rank texts: it gives no single number for a pair of them", model.Name)
		}
		q, err := inputText(query, queryLength)
		if err != nil {
			return err
		}
		list, err := inputTexts(texts, lengths, count)
		if err != nil {
			return err
		}
		none := order == nil && scores == nil
		if err := fits(len(list), none, capacity, size); err != nil || none {
			return err
		}
		ranked, err := i.Rank(newCall(uintptr(abort), uintptr(user)), q, list)
		if err != nil {
			return err
		}
		for n, r := range ranked {
			if order != nil {
				unsafe.Slice(order, len(ranked))[n] = C.size_t(r.Index)
			}
			if scores != nil {
				unsafe.Slice(scores, len(ranked))[n] = C.double(r.Score)
			}
		}
		return nil
	})
}

//export tfgenGoTag
func tfgenGoTag(handle C.uintptr_t, text *C.char, length C.size_t, abort, user C.uintptr_t, parts *C.tfgen_part, capacity C.size_t, count *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		i, err := find[*instance](uintptr(handle))
		if err != nil {
			return err
		}
		if i.Tag == nil {
			return unsupported("%s does not mark parts of texts", model.Name)
		}
		s, err := inputText(text, length)
		if err != nil {
			return err
		}
		tags, err := i.Tag(newCall(uintptr(abort), uintptr(user)), s)
		if err != nil {
			return err
		}
		list := make([]part, len(tags))
		for n, t := range tags {
			list[n] = part{t.Label, t.Start, t.End, t.Score}
		}
		return fillParts(list, parts, capacity, count)
	})
}

//export tfgenGoAnswer
func tfgenGoAnswer(handle C.uintptr_t, question *C.char, questionLength C.size_t, text *C.char, length C.size_t, most C.size_t, abort, user C.uintptr_t, parts *C.tfgen_part, capacity C.size_t, count *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		i, err := find[*instance](uintptr(handle))
		if err != nil {
			return err
		}
		if i.Answer == nil {
			return unsupported("%s does not answer questions from a text", model.Name)
		}
		if most < 1 || most > maxAnswers {
			return argument("%d answers, expected 1 to %d", uint64(most), maxAnswers)
		}
		q, err := inputText(question, questionLength)
		if err != nil {
			return err
		}
		s, err := inputText(text, length)
		if err != nil {
			return err
		}
		spans, err := i.Answer(newCall(uintptr(abort), uintptr(user)), q, s, int(most))
		if err != nil {
			return err
		}
		list := make([]part, len(spans))
		for n, a := range spans {
			list[n] = part{"", a.Start, a.End, a.Score}
		}
		return fillParts(list, parts, capacity, count)
	})
}

// maxAnswers bounds what a caller can ask for by mistake.
const maxAnswers = 10000

//export tfgenGoFillMask
func tfgenGoFillMask(handle C.uintptr_t, text *C.char, length C.size_t, most C.size_t, abort, user C.uintptr_t, ids *C.int32_t, scores *C.float, capacity C.size_t, count *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		i, err := find[*instance](uintptr(handle))
		if err != nil {
			return err
		}
		if i.FillMask == nil {
			return unsupported("%s does not fill masks", model.Name)
		}
		if most < 1 || most > C.size_t(model.Vocabulary) {
			return argument("%d tokens for a mask, expected 1 to %d", uint64(most), model.Vocabulary)
		}
		s, err := inputText(text, length)
		if err != nil {
			return err
		}
		fills, err := i.FillMask(newCall(uintptr(abort), uintptr(user)), s, int(most))
		if err != nil {
			return err
		}
		list, values := flatFills(fills)
		if err := fill(values, scores, capacity, count); err != nil {
			return err
		}
		return fill(list, ids, capacity, count)
	})
}

// flatFills are the tokens for all masks, one mask behind another, and their probabilities.
func flatFills(fills [][]heads.Fill) (ids []int32, scores []float32) {
	for _, row := range fills {
		for _, f := range row {
			ids, scores = append(ids, f.ID), append(scores, float32(f.Score))
		}
	}
	return ids, scores
}
