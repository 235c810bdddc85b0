/* The C side of the library: the functions of tfgen.h. They check what can be checked in C and call the exported Go
 * functions, which do the rest. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"
#include "_cgo_export.h"

/* ---- Status ---------------------------------------------------------------------------------------------------- */

static const char *const names[] = {
    "TFGEN_OK",             "TFGEN_ERROR_INTERNAL", "TFGEN_ERROR_ARGUMENT",  "TFGEN_ERROR_HANDLE", "TFGEN_ERROR_VERSION",
    "TFGEN_ERROR_NOT_INITIALIZED", "TFGEN_ERROR_UNSUPPORTED", "TFGEN_ERROR_FILE", "TFGEN_ERROR_WEIGHTS", "TFGEN_ERROR_MEMORY",
    "TFGEN_ERROR_BUFFER",   "TFGEN_ERROR_TOKEN",    "TFGEN_ERROR_CONTEXT",   "TFGEN_ERROR_BUSY",   "TFGEN_ERROR_CLOSED",
    "TFGEN_ERROR_ABORTED",  "TFGEN_ERROR_CALLBACK", "TFGEN_ERROR_TEMPLATE",  "TFGEN_ERROR_PROCESSOR", "TFGEN_ERROR_FORKED",
};

const char *tfgen_code_name(tfgen_code code) {
    if (code < 0 || (size_t)code >= sizeof names / sizeof *names) return "unknown code";
    return names[code];
}

static tfgen_code fail(tfgen_status *status, tfgen_code code, const char *message) {
    if (status != NULL) {
        status->code = code;
        strncpy(status->message, message, sizeof status->message - 1);
        status->message[sizeof status->message - 1] = 0;
    }
    return code;
}

static tfgen_code succeed(tfgen_status *status) {
    if (status != NULL) {
        status->code = TFGEN_OK;
        status->message[0] = 0;
    }
    return TFGEN_OK;
}

/* ---- Library --------------------------------------------------------------------------------------------------- */

enum { FRESH, READY, FORKED };
static atomic_int state;
static tfgen_info facts;
static tfgen_generate_params generation_defaults = {.top_p = 1, .repetition_penalty = 1};

static void in_child(void) { atomic_store(&state, FORKED); }

static tfgen_code not_ready(tfgen_status *status) {
    if (atomic_load(&state) == FORKED)
        return fail(status, TFGEN_ERROR_FORKED, "the library does not work in a child of fork() that has not called exec()");
    return fail(status, TFGEN_ERROR_NOT_INITIALIZED, "call tfgen_init(TFGEN_ABI_VERSION, status) first");
}

/* CHECK leaves the function unless the library is ready and a condition on its arguments holds. */
#define CHECK(condition, message)                                                                                     \
    do {                                                                                                              \
        if (atomic_load_explicit(&state, memory_order_acquire) != READY) return not_ready(status);                    \
        if (!(condition)) return fail(status, TFGEN_ERROR_ARGUMENT, message);                                         \
    } while (0)

uint32_t tfgen_abi_version(void) { return TFGEN_ABI_VERSION; }

static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;

/* What starts Go's runtime, as init.ld has placed it; NULL in a static archive, where it is a constructor of the program. */
extern void (*const go_runtime[])(int, char **, char **) __attribute__((weak, visibility("hidden")));

static struct {
    int count;
    char **arguments, **environment;
} program;

__attribute__((constructor)) static void remember_program(int count, char **arguments, char **environment) {
    program.count = count;
    program.arguments = arguments;
    program.environment = environment;
}

/* start_runtime starts Go's runtime. It ends the process when it cannot reserve the addresses that it wants, so they are tried
 * first: most is for the tables of the heap, and each thread has a stack and a heap of libc's. None of it is memory that is used. */
static tfgen_code start_runtime(tfgen_status *status) {
    static int started;
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    const size_t space = ((size_t)1728 + 80 * (size_t)(processors > 0 ? processors : 1)) << 20;
    if (go_runtime == NULL || started) return TFGEN_OK;
    void *p = mmap(NULL, space, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        char message[200];
        snprintf(message, sizeof message, "the library reserves %zu MiB of addresses, which the limit of the process (ulimit -v) does not leave", space >> 20);
        return fail(status, TFGEN_ERROR_MEMORY, message);
    }
    munmap(p, space);
    started = 1;
    tfgen_remember_signals();
    go_runtime[0](program.count, program.arguments, program.environment);
    tfgen_restore_signals();
    return TFGEN_OK;
}

static tfgen_code start(tfgen_status *status) {
    if (atomic_load(&state) == FORKED) return not_ready(status);
    if (atomic_load(&state) == READY) return succeed(status);
    tfgen_code begun = start_runtime(status);
    if (begun != TFGEN_OK) return begun;
    tfgen_info info;
    memset(&info, 0, sizeof info);
    info.struct_size = sizeof info;
    tfgen_code code = tfgenGoInfo(&info, status);
    if (code != TFGEN_OK) return code;
    tfgenGoDefaults(&generation_defaults);
    if (pthread_atfork(NULL, NULL, in_child) != 0) return fail(status, TFGEN_ERROR_MEMORY, "pthread_atfork failed");
    facts = info;
    atomic_store_explicit(&state, READY, memory_order_release);
    return TFGEN_OK;
}

tfgen_code tfgen_init(uint32_t abi_version, tfgen_status *status) {
    if (abi_version >> 16 != TFGEN_ABI_MAJOR)
        return fail(status, TFGEN_ERROR_VERSION, "the program was compiled with a tfgen.h of another major version than the library");
    if ((abi_version & 0xffff) > TFGEN_ABI_MINOR)
        return fail(status, TFGEN_ERROR_VERSION, "the program was compiled with a newer tfgen.h than the library has");
    pthread_mutex_lock(&starting);
    tfgen_code code = start(status);
    pthread_mutex_unlock(&starting);
    return code;
}

tfgen_code tfgen_get_info(tfgen_info *info, tfgen_status *status) {
    CHECK(info != NULL && info->struct_size == sizeof *info, "info is NULL or its struct_size is not sizeof(tfgen_info)");
    *info = facts;
    return succeed(status);
}

tfgen_code tfgen_get_memory(int32_t threads, int32_t sessions, int32_t context, tfgen_memory *memory, tfgen_status *status) {
    CHECK(memory != NULL && memory->struct_size == sizeof *memory, "memory is NULL or its struct_size is not sizeof(tfgen_memory)");
    return tfgenGoMemory(threads, sessions, context, memory, status);
}

tfgen_code tfgen_label(int32_t i, char *text, size_t capacity, size_t *length, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoLabel(i, text, capacity, length, status);
}

/* ---- What Go calls --------------------------------------------------------------------------------------------- */

int32_t tfgen_call_abort(uintptr_t function, uintptr_t user) { return ((tfgen_abort_callback)function)((void *)user); }

int32_t tfgen_call_stream(uintptr_t function, uintptr_t user, const char *text, size_t length, int32_t token) {
    return ((tfgen_stream_callback)function)((void *)user, text, length, token);
}

int tfgen_can_map(size_t bytes) {
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return 0;
    munmap(p, bytes);
    return 1;
}

/* ---- Model ----------------------------------------------------------------------------------------------------- */

tfgen_model_params tfgen_model_default_params(void) {
    tfgen_model_params p = {.struct_size = sizeof p};
    return p;
}

tfgen_code tfgen_model_open(const char *path, const tfgen_model_params *params, tfgen_model **model, tfgen_status *status) {
    CHECK(model != NULL, "model is NULL");
    *model = NULL;
    tfgen_model_params p = tfgen_model_default_params();
    if (params != NULL) {
        CHECK(params->struct_size == sizeof p, "params do not come from tfgen_model_default_params");
        p = *params;
    }
    uintptr_t handle = 0;
    tfgen_code code = tfgenGoOpen((char *)path, p.threads, p.verify, &handle, status);
    *model = (tfgen_model *)handle;
    return code;
}

tfgen_code tfgen_model_close(tfgen_model *model, tfgen_status *status) {
    CHECK(1, "");
    return model == NULL ? succeed(status) : tfgenGoClose((uintptr_t)model, status);
}

tfgen_code tfgen_model_verify(tfgen_model *model, tfgen_abort_callback abort, void *user, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoVerify((uintptr_t)model, (uintptr_t)abort, (uintptr_t)user, status);
}

tfgen_code tfgen_model_threads(tfgen_model *model, int32_t *threads, tfgen_status *status) {
    CHECK(threads != NULL, "threads is NULL");
    return tfgenGoThreads((uintptr_t)model, threads, status);
}

/* ---- Tokenizer ------------------------------------------------------------------------------------------------- */

tfgen_code tfgen_tokenize(tfgen_model *model, const char *text, size_t length, uint32_t flags, int32_t *ids, size_t capacity, size_t *count,
                          tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoTokenize((uintptr_t)model, (char *)text, length, flags, ids, capacity, count, status);
}

tfgen_code tfgen_detokenize(tfgen_model *model, const int32_t *ids, size_t count, uint32_t flags, char *text, size_t capacity, size_t *length,
                            tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoDetokenize((uintptr_t)model, (int32_t *)ids, count, flags, text, capacity, length, status);
}

tfgen_code tfgen_token_text(tfgen_model *model, int32_t id, char *text, size_t capacity, size_t *length, int32_t *special, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoTokenText((uintptr_t)model, id, text, capacity, length, special, status);
}

tfgen_code tfgen_token_id(tfgen_model *model, const char *text, size_t length, int32_t *id, tfgen_status *status) {
    CHECK(id != NULL, "id is NULL");
    return tfgenGoTokenID((uintptr_t)model, (char *)text, length, id, status);
}

tfgen_code tfgen_end_tokens(int32_t *ids, size_t capacity, size_t *count, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoEndTokens(ids, capacity, count, status);
}

tfgen_code tfgen_chat_template(const tfgen_message *messages, size_t count, int32_t add_generation_prompt, char *text, size_t capacity,
                               size_t *length, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoChat((tfgen_message *)messages, count, add_generation_prompt, text, capacity, length, status);
}

tfgen_code tfgen_chat_template_json(const char *request, size_t size, char *text, size_t capacity, size_t *length, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoChatJSON((char *)request, size, text, capacity, length, status);
}

/* ---- Sessions -------------------------------------------------------------------------------------------------- */

tfgen_session_params tfgen_session_default_params(void) {
    tfgen_session_params p = {.struct_size = sizeof p};
    return p;
}

tfgen_code tfgen_session_open(tfgen_model *model, const tfgen_session_params *params, tfgen_session **session, tfgen_status *status) {
    CHECK(session != NULL, "session is NULL");
    *session = NULL;
    tfgen_session_params p = tfgen_session_default_params();
    if (params != NULL) {
        CHECK(params->struct_size == sizeof p, "params do not come from tfgen_session_default_params");
        p = *params;
    }
    uintptr_t handle = 0;
    tfgen_code code = tfgenGoSessionOpen((uintptr_t)model, p.context, &handle, status);
    *session = (tfgen_session *)handle;
    return code;
}

tfgen_code tfgen_session_close(tfgen_session *session, tfgen_status *status) {
    CHECK(1, "");
    return session == NULL ? succeed(status) : tfgenGoSessionClose((uintptr_t)session, status);
}

tfgen_code tfgen_session_reset(tfgen_session *session, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoSessionReset((uintptr_t)session, status);
}

tfgen_code tfgen_session_truncate(tfgen_session *session, int32_t length, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoSessionTruncate((uintptr_t)session, length, status);
}

tfgen_code tfgen_session_fork(tfgen_session *session, tfgen_session **copy, tfgen_status *status) {
    CHECK(copy != NULL, "copy is NULL");
    *copy = NULL;
    uintptr_t handle = 0;
    tfgen_code code = tfgenGoSessionFork((uintptr_t)session, &handle, status);
    *copy = (tfgen_session *)handle;
    return code;
}

tfgen_code tfgen_session_save(tfgen_session *session, void *data, size_t capacity, size_t *size, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoSessionSave((uintptr_t)session, data, capacity, size, status);
}

tfgen_code tfgen_session_restore(tfgen_session *session, const void *data, size_t size, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoSessionRestore((uintptr_t)session, (void *)data, size, status);
}

tfgen_code tfgen_session_length(tfgen_session *session, int32_t *length, int32_t *context, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoSessionLength((uintptr_t)session, length, context, status);
}

tfgen_code tfgen_session_cancel(tfgen_session *session, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoSessionCancel((uintptr_t)session, status);
}

tfgen_code tfgen_encode(tfgen_session *session, const int32_t *ids, size_t count, tfgen_abort_callback abort, void *user, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoEncode((uintptr_t)session, (int32_t *)ids, count, (uintptr_t)abort, (uintptr_t)user, status);
}

tfgen_code tfgen_start_tokens(int32_t *ids, size_t capacity, size_t *count, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoStartTokens(ids, capacity, count, status);
}

tfgen_code tfgen_prefill(tfgen_session *session, const int32_t *ids, size_t count, tfgen_abort_callback abort, void *user, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoPrefill((uintptr_t)session, (int32_t *)ids, count, (uintptr_t)abort, (uintptr_t)user, status);
}

tfgen_code tfgen_decode(tfgen_session *session, int32_t id, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoDecode((uintptr_t)session, id, status);
}

tfgen_code tfgen_decode_batch(tfgen_session *const *sessions, const int32_t *ids, size_t count, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoDecodeBatch((uintptr_t *)sessions, (int32_t *)ids, count, status);
}

tfgen_code tfgen_logits(tfgen_session *session, const float **logits, size_t *count, tfgen_status *status) {
    CHECK(logits != NULL, "logits is NULL");
    *logits = NULL;
    return tfgenGoLogits((uintptr_t)session, (float **)logits, count, status);
}

tfgen_code tfgen_score(tfgen_session *session, const int32_t *ids, size_t count, tfgen_abort_callback abort, void *user, float *logits,
                       size_t capacity, size_t *size, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoScore((uintptr_t)session, (int32_t *)ids, count, (uintptr_t)abort, (uintptr_t)user, logits, capacity, size, status);
}

/* ---- Generation ------------------------------------------------------------------------------------------------ */

tfgen_generate_params tfgen_generate_default_params(void) {
    tfgen_generate_params p = generation_defaults;
    p.struct_size = sizeof p;
    return p;
}

/* generation copies the parameters; it returns 0 if they are not valid. */
static int generation(const tfgen_generate_params *params, tfgen_generation *g) {
    memset(g, 0, sizeof *g);
    g->params = tfgen_generate_default_params();
    if (params == NULL) return 1;
    if (params->struct_size != sizeof *params) return 0;
    g->params = *params;
    g->on_text = (uintptr_t)params->on_text;
    g->on_text_user = (uintptr_t)params->on_text_user;
    g->abort = (uintptr_t)params->abort;
    g->abort_user = (uintptr_t)params->abort_user;
    g->params.on_text = NULL;
    g->params.abort = NULL;
    g->params.on_text_user = g->params.abort_user = NULL;
    return 1;
}

static int is_result(const tfgen_result *result) { return result == NULL || result->struct_size == sizeof *result; }

static const char bad_params[] = "params do not come from tfgen_generate_default_params";
static const char bad_result[] = "result's struct_size is not sizeof(tfgen_result)";

tfgen_code tfgen_generate(tfgen_session *session, const char *prompt, size_t length, const tfgen_generate_params *params, tfgen_result *result,
                          tfgen_status *status) {
    tfgen_generation g;
    CHECK(prompt != NULL, "the prompt is NULL");
    CHECK(generation(params, &g), bad_params);
    CHECK(is_result(result), bad_result);
    return tfgenGoGenerate((uintptr_t)session, (char *)prompt, length, NULL, 0, &g, result, status);
}

tfgen_code tfgen_generate_ids(tfgen_session *session, const int32_t *ids, size_t count, const tfgen_generate_params *params,
                              tfgen_result *result, tfgen_status *status) {
    tfgen_generation g;
    CHECK(generation(params, &g), bad_params);
    CHECK(is_result(result), bad_result);
    return tfgenGoGenerate((uintptr_t)session, NULL, 0, (int32_t *)ids, count, &g, result, status);
}

tfgen_code tfgen_generated_text(tfgen_session *session, char *text, size_t capacity, size_t *length, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoGeneratedText((uintptr_t)session, text, capacity, length, status);
}

tfgen_code tfgen_generated_ids(tfgen_session *session, int32_t *ids, size_t capacity, size_t *count, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoGeneratedIDs((uintptr_t)session, ids, capacity, count, status);
}

tfgen_code tfgen_generated_logprobs(tfgen_session *session, float *values, size_t capacity, size_t *count, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoLogProbs((uintptr_t)session, values, capacity, count, status);
}

tfgen_code tfgen_generated_top_logprobs(tfgen_session *session, int32_t *ids, float *values, size_t capacity, size_t *count, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoTopLogProbs((uintptr_t)session, ids, values, capacity, count, status);
}

tfgen_code tfgen_search(tfgen_model *model, const char *prompt, size_t length, const int32_t *ids, size_t count,
                        const tfgen_generate_params *params, tfgen_sequences **sequences, tfgen_status *status) {
    tfgen_generation g;
    CHECK(sequences != NULL, "sequences is NULL");
    *sequences = NULL;
    CHECK(generation(params, &g), bad_params);
    uintptr_t handle = 0;
    tfgen_code code = tfgenGoSearch((uintptr_t)model, (char *)prompt, length, (int32_t *)ids, count, &g, &handle, status);
    *sequences = (tfgen_sequences *)handle;
    return code;
}

tfgen_code tfgen_sequences_count(tfgen_sequences *sequences, size_t *count, tfgen_status *status) {
    CHECK(count != NULL, "count is NULL");
    return tfgenGoSequencesCount((uintptr_t)sequences, count, status);
}

tfgen_code tfgen_sequence_get_info(tfgen_sequences *sequences, size_t index, tfgen_sequence_info *info, tfgen_status *status) {
    CHECK(info != NULL && info->struct_size == sizeof *info, "info is NULL or its struct_size is not sizeof(tfgen_sequence_info)");
    return tfgenGoSequenceInfo((uintptr_t)sequences, index, info, status);
}

tfgen_code tfgen_sequence_ids(tfgen_sequences *sequences, size_t index, int32_t *ids, size_t capacity, size_t *count, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoSequenceIDs((uintptr_t)sequences, index, ids, capacity, count, status);
}

tfgen_code tfgen_sequence_text(tfgen_sequences *sequences, size_t index, char *text, size_t capacity, size_t *length, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoSequenceText((uintptr_t)sequences, index, text, capacity, length, status);
}

tfgen_code tfgen_sequences_close(tfgen_sequences *sequences, tfgen_status *status) {
    CHECK(1, "");
    return sequences == NULL ? succeed(status) : tfgenGoSequencesClose((uintptr_t)sequences, status);
}

tfgen_code tfgen_stream_open(tfgen_session *session, const char *prompt, size_t length, const int32_t *ids, size_t count,
                             const tfgen_generate_params *params, tfgen_stream **stream, tfgen_status *status) {
    tfgen_generation g;
    CHECK(stream != NULL, "stream is NULL");
    *stream = NULL;
    CHECK(generation(params, &g), bad_params);
    uintptr_t handle = 0;
    tfgen_code code = tfgenGoStreamOpen((uintptr_t)session, (char *)prompt, length, (int32_t *)ids, count, &g, &handle, status);
    *stream = (tfgen_stream *)handle;
    return code;
}

tfgen_code tfgen_stream_next(tfgen_stream *stream, const char **text, size_t *length, int32_t *token, int32_t *done, tfgen_result *result,
                             tfgen_status *status) {
    CHECK(text != NULL && length != NULL && token != NULL && done != NULL, "text, length, token or done is NULL");
    CHECK(is_result(result), bad_result);
    return tfgenGoStreamNext((uintptr_t)stream, (char **)text, length, token, done, result, status);
}

tfgen_code tfgen_stream_logprobs(tfgen_stream *stream, double *logprob, int32_t *ids, float *values, size_t capacity, size_t *count,
                                 tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoStreamLogProbs((uintptr_t)stream, logprob, ids, values, capacity, count, status);
}

tfgen_code tfgen_stream_close(tfgen_stream *stream, tfgen_status *status) {
    CHECK(1, "");
    return stream == NULL ? succeed(status) : tfgenGoStreamClose((uintptr_t)stream, status);
}

/* ---- Encoders -------------------------------------------------------------------------------------------------- */

tfgen_code tfgen_embed(tfgen_model *model, const char *const *texts, const size_t *lengths, size_t count, tfgen_abort_callback abort, void *user,
                       float *vectors, size_t capacity, size_t *size, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoEmbed((uintptr_t)model, (char **)texts, (size_t *)lengths, count, (uintptr_t)abort, (uintptr_t)user, vectors, capacity, size,
                        status);
}

tfgen_code tfgen_classify(tfgen_model *model, const char *const *texts, const size_t *lengths, const char *const *pairs,
                          const size_t *pair_lengths, size_t count, tfgen_abort_callback abort, void *user, float *scores, size_t capacity,
                          size_t *size, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoClassify((uintptr_t)model, (char **)texts, (size_t *)lengths, (char **)pairs, (size_t *)pair_lengths, count, 0, (uintptr_t)abort,
                           (uintptr_t)user, scores, capacity, size, status);
}

tfgen_code tfgen_class_scores(tfgen_model *model, const char *const *texts, const size_t *lengths, const char *const *pairs,
                              const size_t *pair_lengths, size_t count, tfgen_abort_callback abort, void *user, float *scores, size_t capacity,
                              size_t *size, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoClassify((uintptr_t)model, (char **)texts, (size_t *)lengths, (char **)pairs, (size_t *)pair_lengths, count, 1, (uintptr_t)abort,
                           (uintptr_t)user, scores, capacity, size, status);
}

tfgen_code tfgen_rank(tfgen_model *model, const char *query, size_t query_length, const char *const *texts, const size_t *lengths, size_t count,
                      tfgen_abort_callback abort, void *user, size_t *order, double *scores, size_t capacity, size_t *size,
                      tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoRank((uintptr_t)model, (char *)query, query_length, (char **)texts, (size_t *)lengths, count, (uintptr_t)abort, (uintptr_t)user,
                       order, scores, capacity, size, status);
}

tfgen_code tfgen_tag(tfgen_model *model, const char *text, size_t length, tfgen_abort_callback abort, void *user, tfgen_part *parts, size_t capacity,
                     size_t *count, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoTag((uintptr_t)model, (char *)text, length, (uintptr_t)abort, (uintptr_t)user, parts, capacity, count, status);
}

tfgen_code tfgen_answer(tfgen_model *model, const char *question, size_t question_length, const char *text, size_t length, size_t most,
                        tfgen_abort_callback abort, void *user, tfgen_part *parts, size_t capacity, size_t *count, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoAnswer((uintptr_t)model, (char *)question, question_length, (char *)text, length, most, (uintptr_t)abort, (uintptr_t)user, parts,
                         capacity, count, status);
}

tfgen_code tfgen_fill_mask(tfgen_model *model, const char *text, size_t length, size_t most, tfgen_abort_callback abort, void *user, int32_t *ids,
                           float *scores, size_t capacity, size_t *count, tfgen_status *status) {
    CHECK(1, "");
    return tfgenGoFillMask((uintptr_t)model, (char *)text, length, most, (uintptr_t)abort, (uintptr_t)user, ids, scores, capacity, count, status);
}

tfgen_code tfgen_run(tfgen_model *model, const int32_t *ids, const int32_t *types, const size_t *lengths, size_t count, const char *output,
                     tfgen_abort_callback abort, void *user, float *values, size_t capacity, size_t *size, tfgen_status *status) {
    CHECK(output != NULL, "output is NULL");
    return tfgenGoRun((uintptr_t)model, (int32_t *)ids, (int32_t *)types, (size_t *)lengths, count, (char *)output, (uintptr_t)abort,
                      (uintptr_t)user, values, capacity, size, status);
}

tfgen_code tfgen_trace(tfgen_model *model, const int32_t *ids, const int32_t *types, size_t count, const char *name, float *values,
                       size_t capacity, size_t *size, tfgen_status *status) {
    CHECK(name != NULL, "name is NULL");
    return tfgenGoTrace((uintptr_t)model, NULL, 0, (int32_t *)ids, (int32_t *)types, count, (char *)name, values, capacity, size, status);
}

tfgen_code tfgen_trace_encoded(tfgen_model *model, const int32_t *source, size_t source_count, const int32_t *ids, size_t count, const char *name,
                               float *values, size_t capacity, size_t *size, tfgen_status *status) {
    CHECK(name != NULL, "name is NULL");
    return tfgenGoTrace((uintptr_t)model, (int32_t *)source, source_count, (int32_t *)ids, NULL, count, (char *)name, values, capacity, size, status);
}
