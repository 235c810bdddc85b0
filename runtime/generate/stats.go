package generate

import (
	"fmt"
	"time"
)

// Stats says what a generation did. It is complete when the sequence has ended.
type Stats struct {
	PromptTokens int           // tokens given to Prefill
	Tokens       int           // tokens yielded
	Guessed      int           // tokens that a Drafter guessed
	Accepted     int           // guesses that were right
	Prefill      time.Duration // of Prefill
	First        time.Duration // from the start to the first token chosen
	Decode       time.Duration // from the end of Prefill to the last token, consumer included
	Reason       Reason
	End          int32 // the token that ended the text, if the reason is EndOfText
}

// Reason says why a generation ended.
type Reason int

// The reasons.
const (
	Failed           Reason = iota // by an error, which was yielded
	Cancelled                      // by its context
	EndOfText                      // the model chose an end-of-text token
	StopText                       // a text of Options.Stop was generated
	MaxTokensReached               // Options.MaxTokens
	ContextFull                    // the session holds no further token
	Stopped                        // the consumer went no further
	DeadlineReached                // Options.Deadline
	Complete                       // Options.Constraint allows nothing more
)

var reasons = [...]string{
	Failed:           "error",
	Cancelled:        "cancelled",
	EndOfText:        "end of text",
	StopText:         "stop text",
	MaxTokensReached: "max tokens",
	ContextFull:      "context full",
	Stopped:          "stopped",
	DeadlineReached:  "deadline",
	Complete:         "complete",
}

// String returns the reason in words, for example "end of text".
func (r Reason) String() string {
	if r < 0 || int(r) >= len(reasons) {
		return fmt.Sprintf("Reason(%d)", int(r))
	}
	return reasons[r]
}

// PrefillRate returns the prompt's tokens per second, 0 if nothing was measured.
func (s Stats) PrefillRate() float64 { return rate(s.PromptTokens, s.Prefill) }

// DecodeRate returns the tokens per second after the first, which costs no
// decode step; 0 if nothing was measured.
func (s Stats) DecodeRate() float64 { return rate(s.Tokens-1, s.Decode) }

// rate returns n per second.
func rate(n int, d time.Duration) float64 {
	if n <= 0 || d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}
