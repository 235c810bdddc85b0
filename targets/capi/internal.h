/* Declarations between shim.c and the Go side of the library. Callbacks and the pointers that belong to the caller cross
 * as integers: Go's memory management must not take them for its own. */
#ifndef TFGEN_INTERNAL_H
#define TFGEN_INTERNAL_H

#include "tfgen.h"

#define TFGEN_HIDDEN __attribute__((visibility("hidden")))

/* tfgen_generation is tfgen_generate_params with its callbacks as integers. */
typedef struct tfgen_generation {
    tfgen_generate_params params;
    uintptr_t on_text, on_text_user, abort, abort_user;
} tfgen_generation;

TFGEN_HIDDEN int32_t tfgen_call_abort(uintptr_t function, uintptr_t user);
TFGEN_HIDDEN int32_t tfgen_call_stream(uintptr_t function, uintptr_t user, const char *text, size_t length, int32_t token);
TFGEN_HIDDEN int tfgen_can_map(size_t bytes);

/* Around what starts Go's runtime, see signals.c. */
TFGEN_HIDDEN void tfgen_remember_signals(void);
TFGEN_HIDDEN void tfgen_restore_signals(void);

#endif
