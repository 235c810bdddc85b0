package capi

// #include "internal.h"
import "C"

//export tfgenGoChat
func tfgenGoChat(handle C.uintptr_t, messages *C.tfgen_message, count C.size_t, begin C.int32_t, text *C.char, capacity C.size_t, length *C.size_t, status *C.tfgen_status) C.tfgen_code {
	return guarded(status, func() error {
		i, err := find[*instance](uintptr(handle))
		if err != nil {
			return err
		}
		if i.Chat == nil {
			return unsupported("%s has no chat template", model.Name)
		}
		list, err := input(messages, count, "messages")
		if err != nil {
			return err
		}
		var conversation []Message
		for n, m := range list {
			if m.role == nil || m.content == nil {
				return argument("message %d has no role or no content", n)
			}
			conversation = append(conversation, Message{C.GoString(m.role), C.GoString(m.content)})
		}
		prompt, err := i.Chat(conversation, begin != 0)
		if err != nil {
			return &coded{codeTemplate, err.Error()}
		}
		return fillText(prompt, text, capacity, length)
	})
}
