package capi

// #include "internal.h"
import "C"

import (
	"slices"
	"strings"
	"unsafe"

	"github.com/tfgen/tfgen/runtime/generate"
)

// defaults are the options that generation begins with.
func defaults() generate.Options {
	if model.Defaults != nil {
		return model.Defaults()
	}
	return generate.Options{EOS: model.EOS}
}

//export tfgenGoDefaults
func tfgenGoDefaults(p *C.tfgen_generate_params) {
	o := defaults()
	p.max_tokens, p.top_k, p.temperature, p.seed = C.int32_t(o.MaxTokens), C.int32_t(o.TopK), C.double(o.Temperature), C.uint64_t(o.Seed)
	p.top_p, p.min_p, p.repetition_penalty = C.double(orOne(o.TopP)), C.double(o.MinP), C.double(orOne(o.RepetitionPenalty))
}

// orOne is v, or 1 for 0: both say that an option is off.
func orOne(v float64) float64 {
	if v == 0 {
		return 1
	}
	return v
}

// parameters reads the parameters of a generation.
func parameters(i *Instance, g *C.tfgen_generation) (o generate.Options, err error) {
	p := &g.params
	o = defaults()
	o.MaxTokens = int(p.max_tokens)
	o.Temperature, o.TopP, o.TopK, o.MinP = float64(p.temperature), float64(p.top_p), int(p.top_k), float64(p.min_p)
	o.RepetitionPenalty, o.Seed = float64(p.repetition_penalty), uint64(p.seed)
	stop, err := inputTexts(p.stop, nil, p.stop_count)
	if err != nil {
		return o, err
	}
	for _, s := range stop {
		o.Stop = append(o.Stop, strings.Clone(s))
	}
	if p.end_tokens != nil {
		end, err := inputIDs(p.end_tokens, p.end_token_count)
		if err != nil {
			return o, err
		}
		o.EOS = slices.Clone(end)
	}
	if p.options != nil {
		err = apply(i, &o, C.GoString(p.options))
	}
	return o, err
}

// ends maps the reasons of package generate to TFGEN_END_.
var ends = map[generate.Reason]C.int32_t{
	generate.Failed: C.TFGEN_END_ERROR, generate.Cancelled: C.TFGEN_END_ABORTED, generate.EndOfText: C.TFGEN_END_OF_TEXT,
	generate.StopText: C.TFGEN_END_STOP_TEXT, generate.MaxTokensReached: C.TFGEN_END_MAX_TOKENS,
	generate.ContextFull: C.TFGEN_END_CONTEXT, generate.Stopped: C.TFGEN_END_CALLBACK, generate.Complete: C.TFGEN_END_OF_TEXT,
	generate.DeadlineReached: C.TFGEN_END_MAX_TOKENS,
}

// fillResult copies the figures of a generation.
func fillResult(r *C.tfgen_result, s *generate.Stats) {
	if r == nil {
		return
	}
	r.end, r.prompt_tokens, r.tokens = ends[s.Reason], C.int32_t(s.PromptTokens), C.int32_t(s.Tokens)
	r.prefill_seconds, r.first_token_seconds = C.double(s.Prefill.Seconds()), C.double(s.First.Seconds())
	r.decode_seconds = C.double(s.Decode.Seconds())
}

// promptOf is the prompt of the caller's: text, or ids if there is none.
func promptOf(text *C.char, length C.size_t, ids *C.int32_t, count C.size_t) (p prompt, err error) {
	if text != nil {
		p.text, err = inputText(text, length)
		return p, err
	}
	if ids == nil {
		return p, argument("the prompt is NULL")
	}
	p.ids, err = inputIDs(ids, count)
	return p, err
}

//export tfgenGoGenerate
func tfgenGoGenerate(handle C.uintptr_t, text *C.char, length C.size_t, ids *C.int32_t, count C.size_t, g *C.tfgen_generation, result *C.tfgen_result, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		return using(handle, C.uintptr_t(g.abort), C.uintptr_t(g.abort_user), func(s *session, c *call) error {
			p, err := promptOf(text, length, ids, count)
			if err != nil {
				return err
			}
			o, err := parameters(s.model, g)
			if err != nil {
				return err
			}
			o.Stats = new(generate.Stats)
			defer func() { fillResult(result, o.Stats) }()
			failed := false
			err = s.generate(c, p, o, func(p piece) bool {
				if g.on_text == 0 {
					return true
				}
				answer := C.tfgen_call_stream(g.on_text, g.on_text_user, (*C.char)(unsafe.Pointer(unsafe.StringData(p.text))), C.size_t(len(p.text)), C.int32_t(p.token))
				failed = answer < 0
				return answer == 0
			})
			if failed {
				return errCallback
			}
			return err
		})
	})
}

//export tfgenGoGeneratedText
func tfgenGoGeneratedText(handle C.uintptr_t, text *C.char, capacity C.size_t, length *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		return using(handle, 0, 0, func(s *session, _ *call) error { return fillText(s.text.String(), text, capacity, length) })
	})
}

//export tfgenGoGeneratedIDs
func tfgenGoGeneratedIDs(handle C.uintptr_t, ids *C.int32_t, capacity C.size_t, count *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		return using(handle, 0, 0, func(s *session, _ *call) error { return fill(s.ids, ids, capacity, count) })
	})
}

//export tfgenGoStreamOpen
func tfgenGoStreamOpen(handle C.uintptr_t, text *C.char, length C.size_t, ids *C.int32_t, count C.size_t, g *C.tfgen_generation, out *C.uintptr_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		s, err := find[*session](uintptr(handle))
		if err != nil {
			return err
		}
		p, err := promptOf(text, length, ids, count)
		if err != nil {
			return err
		}
		o, err := parameters(s.model, g)
		if err != nil {
			return err
		}
		st, err := openStream(s, prompt{strings.Clone(p.text), slices.Clone(p.ids)}, o)
		if err != nil {
			return err
		}
		*out = C.uintptr_t(publish(st))
		return nil
	})
}

//export tfgenGoStreamNext
func tfgenGoStreamNext(handle C.uintptr_t, text **C.char, length *C.size_t, token, done *C.int32_t, result *C.tfgen_result, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		st, err := find[*stream](uintptr(handle))
		if err != nil {
			return err
		}
		p, ok, err := st.next()
		if err != nil {
			return err
		}
		*text, *length, *token, *done = nil, 0, C.int32_t(p.token), 0
		if !ok {
			*token, *done = -1, 1
			fillResult(result, &st.stats)
			return nil
		}
		if n := len(st.text.bytes); n > 0 {
			*text, *length = (*C.char)(unsafe.Pointer(&st.text.bytes[0])), C.size_t(n)
		}
		return nil
	})
}

//export tfgenGoStreamClose
func tfgenGoStreamClose(handle C.uintptr_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error { return closeStream(uintptr(handle)) })
}
