package capi

// #include "internal.h"
import "C"

import "encoding/json"

// message is one message of a conversation in JSON.
type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// conversation is the request that package conversation reads.
type conversation struct {
	Messages            []message `json:"messages"`
	AddGenerationPrompt bool      `json:"add_generation_prompt"`
}

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
		q := conversation{AddGenerationPrompt: begin != 0}
		for n, m := range list {
			if m.role == nil || m.content == nil {
				return argument("message %d has no role or no content", n)
			}
			q.Messages = append(q.Messages, message{C.GoString(m.role), C.GoString(m.content)})
		}
		request, err := json.Marshal(q)
		if err != nil {
			return err
		}
		prompt, err := render(request)
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
