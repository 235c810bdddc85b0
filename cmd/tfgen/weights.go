package main

import (
	"strings"

	"github.com/tfgen/tfgen/gen/weights"
)

// weightsHelp explains the flag -weights.
var weightsHelp = "format of matrices: " + strings.Join(weights.Formats(), ", ") + ". source keeps what the checkpoint stores, quantised " +
	"blocks of GGUF included. After a comma, name=format gives matrices whose name has this part another one: q4,lm_head=q8"

// kvHelp explains the flag -kv.
const kvHelp = "format of the keys and values that sessions keep: f32, f16, q8"
