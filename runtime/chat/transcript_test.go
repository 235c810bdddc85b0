package chat

import "testing"

func TestTranscript(t *testing.T) {
	got := Transcript([]Message{{Role: "system", Content: "Be kind."}, {Role: "user", Content: "Hi "}, {Role: "assistant", Content: " Hello!"}, {Role: "user", Content: "Bye"}})
	if want := "Be kind.\n\nUser: Hi\nAssistant: Hello!\nUser: Bye\nAssistant:"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTurnEnd(t *testing.T) {
	tmpl := New(map[string]string{}).Parse("default", "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>\n{% endfor %}")
	if got := tmpl.TurnEnd(); got != "<|end|>\n" && got != "<|end|>" {
		t.Errorf("%q", got)
	}
	if got := New(nil).TurnEnd(); got != "" {
		t.Errorf("%q without a template", got)
	}
}
