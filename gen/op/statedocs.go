package op

// StateDocs says what each kind of state holds, for people.
var StateDocs = map[string]string{
	"kv":      "keys and values",
	"cross":   "keys and values of the source",
	"latent":  "latents of keys and values, and rotated keys",
	"tail":    "last inputs of a convolution",
	"history": "all inputs of a convolution",
	"shift":   "the token before",
	"scan":    "state of a selective scan",
	"system":  "state of a linear system, complex",
	"lru":     "state of a linear recurrence",
	"wkv":     "sums of weighted values, and their scale",
	"delta":   "matrix of a delta rule",
	"matrix":  "matrix of a linear attention",
	"mlstm":   "matrix, normaliser and scale of an mLSTM",
	"slstm":   "cells, normalisers, scales and outputs of an sLSTM",
}
