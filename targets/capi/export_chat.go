package capi

// #include "internal.h"
import "C"

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/runtime/json"
)

// render renders a request with the model's chat template.
func render(request []byte) (string, error) {
	if model.Chat == nil {
		return "", unsupported("%s has no chat template", model.Name)
	}
	prompt, err := model.Chat(request)
	if err != nil {
		return "", &coded{codeTemplate, err.Error()}
	}
	return prompt, nil
}

//export tfgenGoChat
func tfgenGoChat(messages *C.tfgen_message, count C.size_t, begin C.int32_t, text *C.char, capacity C.size_t, length *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		list, err := input(messages, count, "messages")
		if err != nil {
			return err
		}
		messages := make([]string, len(list))
		for n, m := range list {
			if m.role == nil || m.content == nil {
				return argument("message %d has no role or no content", n)
			}
			messages[n] = fmt.Sprintf(`{"role":%s,"content":%s}`, json.Quote(C.GoString(m.role)), json.Quote(C.GoString(m.content)))
		}
		prompt, err := render(fmt.Appendf(nil, `{"messages":[%s],"add_generation_prompt":%t}`, strings.Join(messages, ","), begin != 0))
		if err != nil {
			return err
		}
		return fillText(prompt, text, capacity, length)
	})
}

//export tfgenGoChatJSON
func tfgenGoChatJSON(request *C.char, size C.size_t, text *C.char, capacity C.size_t, length *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		source, err := inputText(request, size)
		if err != nil {
			return err
		}
		prompt, err := render([]byte(source))
		if err != nil {
			return err
		}
		return fillText(prompt, text, capacity, length)
	})
}
