package chat

import "strings"

// TranscriptStop is the text at which the answer to a Transcript ends.
const TranscriptStop = "\nUser:"

// Transcript is a conversation as plain text that a model without a chat template
// can go on with: what the system says, then lines of User and Assistant.
func Transcript(messages []Message) string {
	var b strings.Builder
	for _, m := range messages {
		text := strings.TrimSpace(m.Content)
		switch m.Role {
		case "user":
			b.WriteString("User: " + text + "\n")
		case "assistant":
			b.WriteString("Assistant: " + text + "\n")
		default:
			b.WriteString(text + "\n\n")
		}
	}
	b.WriteString("Assistant:")
	return b.String()
}
