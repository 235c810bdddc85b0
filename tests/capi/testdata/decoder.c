/* Uses every function of a decoder's library, rightly and wrongly: decoder WEIGHTS. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static const char prompt[] = "func (r *Reader) Read(";
static tfgen_info info;
static tfgen_model *model;

static tfgen_session *open_session(int32_t context) {
    tfgen_session *s = NULL;
    tfgen_session_params p = tfgen_session_default_params();
    p.context = context;
    OK(tfgen_session_open(model, &p, &s, &status));
    return s;
}

/* ---- before and around tfgen_init ---- */

static void test_init(void) {
    tfgen_model *m = NULL;
    CODE(TFGEN_ERROR_NOT_INITIALIZED, tfgen_model_open("x", NULL, &m, &status));
    CODE(TFGEN_ERROR_VERSION, tfgen_init(TFGEN_ABI_VERSION + 0x10000, &status));
    CODE(TFGEN_ERROR_VERSION, tfgen_init(TFGEN_ABI_VERSION + 1, &status));
    OK(tfgen_init(TFGEN_ABI_VERSION, &status));
    OK(tfgen_init(TFGEN_ABI_VERSION, &status));
    EXPECT(tfgen_init(TFGEN_ABI_VERSION, NULL) == TFGEN_OK);
    EXPECT(tfgen_abi_version() == TFGEN_ABI_VERSION);
    EXPECT(strcmp(tfgen_code_name(TFGEN_ERROR_FORKED), "TFGEN_ERROR_FORKED") == 0 && strcmp(tfgen_code_name(99), "unknown code") == 0);
}

/* A child of fork() may use the library if its parent has not begun to. */
static void test_fork_before_init(const char *weights) {
    pid_t child = fork();
    if (child == 0) {
        tfgen_model *m = NULL;
        tfgen_session *s = NULL;
        OK(tfgen_init(TFGEN_ABI_VERSION, &status));
        OK(tfgen_model_open(weights, NULL, &m, &status));
        OK(tfgen_session_open(m, NULL, &s, &status));
        OK(tfgen_decode(s, 1, &status));
        fflush(stdout);
        _exit(failures != 0);
    }
    int result = -1;
    waitpid(child, &result, 0);
    EXPECT(result == 0);
}

static void test_info(void) {
    tfgen_memory memory;
    memset(&info, 0, sizeof info);
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_get_info(NULL, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_get_info(&info, &status));
    info.struct_size = sizeof info;
    OK(tfgen_get_info(&info, &status));
    EXPECT(info.features == (TFGEN_CAN_GENERATE | TFGEN_CAN_TOKENIZE | TFGEN_CAN_CHAT));
    EXPECT(strcmp(info.name, "gocode") == 0 && strcmp(info.architecture, "llama") == 0 && strcmp(info.weight_format, "bf16") == 0);
    EXPECT(info.layers == 4 && info.width == 256 && info.vocabulary == 4096 && info.max_context == 512 && info.max_batch > 1);
    memory.struct_size = 0;
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_get_memory(1, 1, 0, &memory, &status));
    memory.struct_size = sizeof memory;
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_get_memory(-1, 1, 0, &memory, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_get_memory(1, 1, 513, &memory, &status));
    OK(tfgen_get_memory(3, 2, 64, &memory, &status));
    EXPECT(memory.weights == info.weights_bytes && memory.total == memory.weights + memory.activations + 3 * memory.worker + 2 * memory.session);
    CODE(TFGEN_ERROR_UNSUPPORTED, tfgen_label(0, NULL, 0, NULL, &status));
}

/* ---- models ---- */

static void write_file(const char *path, const char *from, long size, long flip) {
    FILE *in = fopen(from, "rb"), *out = fopen(path, "wb");
    for (long i = 0; in != NULL && out != NULL && i < size; i++) {
        int c = getc(in);
        if (c == EOF) break;
        putc(i == flip ? c ^ 1 : c, out);
    }
    if (in != NULL) fclose(in);
    if (out != NULL) fclose(out);
}

static void test_bad_weights(const char *weights, const char *temporary) {
    tfgen_model *m = (tfgen_model *)&m;
    tfgen_model_params p = tfgen_model_default_params();
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_model_open(weights, NULL, NULL, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_model_open(NULL, NULL, &m, &status));
    EXPECT(m == NULL);
    CODE(TFGEN_ERROR_FILE, tfgen_model_open("/nonexistent/file", NULL, &m, &status));
    CODE(TFGEN_ERROR_FILE, tfgen_model_open("", NULL, &m, &status));
    write_file(temporary, weights, info.weights_bytes - 1, -1); /* truncated */
    CODE(TFGEN_ERROR_WEIGHTS, tfgen_model_open(temporary, NULL, &m, &status));
    write_file(temporary, weights, info.weights_bytes, 100); /* another header */
    CODE(TFGEN_ERROR_WEIGHTS, tfgen_model_open(temporary, NULL, &m, &status));
    write_file(temporary, weights, info.weights_bytes, info.weights_bytes - 3); /* another digest */
    CODE(TFGEN_ERROR_WEIGHTS, tfgen_model_open(temporary, NULL, &m, &status));
    EXPECT(strstr(status.message, "digest") != NULL);
    write_file(temporary, weights, 0, -1);
    CODE(TFGEN_ERROR_WEIGHTS, tfgen_model_open(temporary, NULL, &m, &status));
    remove(temporary);
    p.threads = -1;
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_model_open(weights, &p, &m, &status));
    p.threads = 1000000;
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_model_open(weights, &p, &m, &status));
    p.struct_size = 3;
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_model_open(weights, &p, &m, &status));
    EXPECT(m == NULL);
}

static int32_t yes(void *user) {
    ++*(int *)user;
    return 1;
}

static void test_model(const char *weights) {
    tfgen_model_params p = tfgen_model_default_params();
    tfgen_model *other = NULL;
    int32_t threads = 0;
    p.threads = 2;
    p.verify = 1;
    OK(tfgen_model_open(weights, &p, &model, &status));
    OK(tfgen_model_threads(model, &threads, &status));
    EXPECT(threads == 2);
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_model_threads(model, NULL, &status));
    OK(tfgen_model_verify(model, NULL, NULL, &status));
    OK(tfgen_model_open(weights, NULL, &other, &status));
    OK(tfgen_model_close(other, &status));
    CODE(TFGEN_ERROR_HANDLE, tfgen_model_close(other, &status));
    CODE(TFGEN_ERROR_HANDLE, tfgen_model_verify(other, NULL, NULL, &status));
    CODE(TFGEN_ERROR_HANDLE, tfgen_model_close((tfgen_model *)(uintptr_t)1, &status));
    CODE(TFGEN_ERROR_HANDLE, tfgen_model_close((tfgen_model *)&p, &status));
    OK(tfgen_model_close(NULL, &status));
}

/* ---- tokenizer ---- */

static void test_tokenizer(void) {
    int32_t ids[64], end[4], id = 0, special = -1;
    char text[256];
    size_t count = 0, length = 0, need = 0;
    OK(tfgen_tokenize(model, prompt, sizeof prompt - 1, TFGEN_ADD_SPECIAL, NULL, 0, &need, &status));
    EXPECT(need > 0 && need < 64);
    CODE(TFGEN_ERROR_BUFFER, tfgen_tokenize(model, prompt, sizeof prompt - 1, TFGEN_ADD_SPECIAL, ids, need - 1, &count, &status));
    EXPECT(count == need);
    OK(tfgen_tokenize(model, prompt, TFGEN_ZERO_TERMINATED, TFGEN_ADD_SPECIAL, ids, need, &count, &status));
    OK(tfgen_detokenize(model, ids, count, TFGEN_SKIP_SPECIAL, NULL, 0, &length, &status));
    EXPECT(length == sizeof prompt - 1);
    OK(tfgen_detokenize(model, ids, count, TFGEN_SKIP_SPECIAL, text, sizeof text, &length, &status));
    EXPECT(length == sizeof prompt - 1 && memcmp(text, prompt, length) == 0);
    OK(tfgen_tokenize(model, "", 0, 0, NULL, 0, &count, &status));
    EXPECT(count == 0);
    OK(tfgen_tokenize(model, "\xff\xfe\0x", 4, 0, NULL, 0, &count, &status)); /* not UTF-8 */
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_tokenize(model, NULL, 3, 0, NULL, 0, &count, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_tokenize(model, "x", 1, 0, NULL, 0, NULL, &status));
    CODE(TFGEN_ERROR_HANDLE, tfgen_tokenize(NULL, "x", 1, 0, NULL, 0, &count, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_detokenize(model, NULL, 3, 0, NULL, 0, &length, &status));
    ids[0] = info.vocabulary;
    CODE(TFGEN_ERROR_TOKEN, tfgen_detokenize(model, ids, 1, 0, NULL, 0, &length, &status));
    CODE(TFGEN_ERROR_TOKEN, tfgen_token_text(model, -1, NULL, 0, &length, NULL, &status));
    OK(tfgen_end_tokens(end, 4, &count, &status));
    EXPECT(count == 1);
    OK(tfgen_token_text(model, end[0], text, sizeof text, &length, &special, &status));
    EXPECT(special == 1);
    OK(tfgen_token_id(model, text, length, &id, &status));
    EXPECT(id == end[0]);
    OK(tfgen_token_id(model, "no such token", TFGEN_ZERO_TERMINATED, &id, &status));
    EXPECT(id == -1);
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_token_id(model, "x", 1, NULL, &status));
    /* Chat: both ways give the same prompt. */
    static char chat[1024], json[1024];
    tfgen_message messages[] = {{"user", "Write a \"loop\"."}};
    const char request[] = "{\"messages\": [{\"role\": \"user\", \"content\": \"Write a \\\"loop\\\".\"}], \"add_generation_prompt\": true}";
    OK(tfgen_chat_template(messages, 1, 1, chat, sizeof chat, &length, &status));
    EXPECT(strstr(chat, "Write a \"loop\".") != NULL);
    OK(tfgen_chat_template_json(request, TFGEN_ZERO_TERMINATED, json, sizeof json, &need, &status));
    EXPECT(need == length && memcmp(chat, json, length) == 0);
    CODE(TFGEN_ERROR_TEMPLATE, tfgen_chat_template(NULL, 0, 1, NULL, 0, &length, &status));
    CODE(TFGEN_ERROR_TEMPLATE, tfgen_chat_template_json("{", 1, NULL, 0, &length, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_chat_template(NULL, 1, 1, NULL, 0, &length, &status));
    messages[0].role = NULL;
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_chat_template(messages, 1, 1, NULL, 0, &length, &status));
    /* Special tokens in literal text are text. */
    OK(tfgen_token_text(model, end[0], text, sizeof text, &length, NULL, &status));
    OK(tfgen_tokenize(model, text, length, 0, NULL, 0, &count, &status));
    EXPECT(count == 1);
    OK(tfgen_tokenize(model, text, length, TFGEN_LITERAL, NULL, 0, &count, &status));
    EXPECT(count > 1);
}

/* ---- sessions ---- */

static void test_steps(void) {
    enum { n = 9 };
    int32_t ids[n], length = -1, context = -1;
    const float *logits = NULL;
    size_t count = 0;
    tfgen_session *a = open_session(n), *b = open_session(0);
    size_t vocabulary = (size_t)info.vocabulary;
    float *all = malloc(n * vocabulary * sizeof *all), *row = malloc(vocabulary * sizeof *row);
    for (int i = 0; i < n; i++) ids[i] = (i * 7919 + 13) % info.vocabulary;
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_logits(a, &logits, &count, &status));
    OK(tfgen_score(a, ids, n, NULL, NULL, NULL, 0, &count, &status));
    EXPECT(count == n * vocabulary);
    CODE(TFGEN_ERROR_BUFFER, tfgen_score(a, ids, n, NULL, NULL, all, count - 1, &count, &status));
    OK(tfgen_score(a, ids, n, NULL, NULL, all, count, &count, &status));
    for (int i = 0; i < n; i++) {
        if (i == 0) OK(tfgen_prefill(b, ids, 1, NULL, NULL, &status));
        else OK(tfgen_decode(b, ids[i], &status));
        OK(tfgen_logits(b, &logits, &count, &status));
        EXPECT(count == vocabulary && memcmp(logits, all + (size_t)i * vocabulary, vocabulary * sizeof *logits) == 0);
    }
    OK(tfgen_session_length(a, &length, &context, &status));
    EXPECT(length == n && context == n);
    OK(tfgen_session_length(b, NULL, NULL, &status));
    CODE(TFGEN_ERROR_CONTEXT, tfgen_decode(a, 1, &status));
    CODE(TFGEN_ERROR_CONTEXT, tfgen_prefill(a, ids, 1, NULL, NULL, &status));
    CODE(TFGEN_ERROR_TOKEN, tfgen_decode(b, info.vocabulary, &status));
    CODE(TFGEN_ERROR_TOKEN, tfgen_decode(b, -1, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_prefill(b, NULL, 2, NULL, NULL, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_prefill(b, ids, 0, NULL, NULL, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_prefill(b, ids, (size_t)-1, NULL, NULL, &status));
    OK(tfgen_session_reset(a, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_logits(a, &logits, &count, &status));
    OK(tfgen_prefill(a, ids, 3, NULL, NULL, &status));
    OK(tfgen_logits(a, &logits, NULL, &status));
    EXPECT(memcmp(logits, all + 2 * vocabulary, vocabulary * sizeof *logits) == 0);
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_logits(a, NULL, NULL, &status));

    /* Both sessions in one pass give what each gives alone. */
    tfgen_session *both[] = {a, b};
    int32_t next[] = {5, 6};
    tfgen_session *alone = open_session(0);
    OK(tfgen_prefill(alone, ids, 3, NULL, NULL, &status));
    OK(tfgen_decode(alone, 5, &status));
    OK(tfgen_decode_batch(both, next, 2, &status));
    OK(tfgen_logits(alone, &logits, NULL, &status));
    memcpy(row, logits, vocabulary * sizeof *row);
    OK(tfgen_logits(a, &logits, NULL, &status));
    EXPECT(memcmp(logits, row, vocabulary * sizeof *row) == 0);
    both[1] = a;
    CODE(TFGEN_ERROR_BUSY, tfgen_decode_batch(both, next, 2, &status)); /* twice the same */
    both[1] = NULL;
    CODE(TFGEN_ERROR_HANDLE, tfgen_decode_batch(both, next, 2, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_decode_batch(both, next, 0, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_decode_batch(NULL, next, 2, &status));
    OK(tfgen_decode(a, 1, &status)); /* a failed batch leaves its sessions free */

    /* Going back, copies, and states as bytes. */
    tfgen_session *copy = NULL;
    void *state = NULL;
    OK(tfgen_session_reset(a, &status));
    OK(tfgen_prefill(a, ids, 5, NULL, NULL, &status));
    OK(tfgen_session_fork(a, &copy, &status));
    OK(tfgen_session_save(a, NULL, 0, &count, &status));
    state = malloc(count);
    CODE(TFGEN_ERROR_BUFFER, tfgen_session_save(a, state, count - 1, &count, &status));
    OK(tfgen_session_save(a, state, count, &count, &status));
    OK(tfgen_session_truncate(a, 2, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_session_truncate(a, 3, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_session_truncate(a, -1, &status));
    OK(tfgen_decode(a, ids[2], &status));
    OK(tfgen_logits(a, &logits, NULL, &status));
    EXPECT(memcmp(logits, all + 2 * vocabulary, vocabulary * sizeof *logits) == 0);
    OK(tfgen_decode(copy, ids[5], &status));
    OK(tfgen_logits(copy, &logits, NULL, &status));
    EXPECT(memcmp(logits, all + 5 * vocabulary, vocabulary * sizeof *logits) == 0);
    OK(tfgen_session_restore(a, state, count, &status));
    OK(tfgen_decode(a, ids[5], &status));
    OK(tfgen_logits(a, &logits, NULL, &status));
    EXPECT(memcmp(logits, all + 5 * vocabulary, vocabulary * sizeof *logits) == 0);
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_session_restore(a, state, count / 2, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_session_restore(a, "nonsense", 8, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_session_fork(a, NULL, &status));
    OK(tfgen_session_close(copy, &status));
    free(state);

    CODE(TFGEN_ERROR_HANDLE, tfgen_decode((tfgen_session *)model, 1, &status)); /* a handle of another kind */
    OK(tfgen_session_close(alone, &status));
    CODE(TFGEN_ERROR_HANDLE, tfgen_session_close(alone, &status));
    CODE(TFGEN_ERROR_HANDLE, tfgen_decode(alone, 1, &status));
    OK(tfgen_session_close(a, &status));
    OK(tfgen_session_close(b, &status));
    OK(tfgen_session_close(NULL, &status));
    free(all);
    free(row);

    tfgen_session_params p = tfgen_session_default_params();
    p.context = info.max_context + 1;
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_session_open(model, &p, &a, &status));
    p.context = -1;
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_session_open(model, &p, &a, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_session_open(model, NULL, NULL, &status));
}

/* ---- generation ---- */

typedef struct {
    char text[4096];
    size_t length;
    int calls, stop_after, answer;
    tfgen_session *session;
} collected;

static int32_t collect(void *user, const char *text, size_t length, int32_t token) {
    collected *c = user;
    tfgen_status inner;
    if (length > 0) memcpy(c->text + c->length, text, length);
    c->length += length;
    EXPECT(token >= -1 && token < info.vocabulary);
    EXPECT(tfgen_decode(c->session, 1, &inner) == TFGEN_ERROR_BUSY); /* its session is in use */
    EXPECT(tfgen_session_close(c->session, &inner) == TFGEN_ERROR_BUSY);
    return ++c->calls == c->stop_after ? c->answer : 0;
}

static void test_generate(void) {
    static collected c, d;
    static char text[4096];
    int32_t ids[64], prompt_ids[64];
    size_t length = 0, count = 0, prompt_count = 0;
    tfgen_session *s = open_session(0);
    tfgen_result result;
    tfgen_generate_params p = tfgen_generate_default_params();
    p.temperature = 0;
    memset(&result, 0, sizeof result);
    result.struct_size = sizeof result;
    p.max_tokens = 20;
    p.on_text = collect;
    p.on_text_user = &c;
    c.session = s;
    OK(tfgen_generate(s, prompt, TFGEN_ZERO_TERMINATED, &p, &result, &status));
    EXPECT(result.end == TFGEN_END_MAX_TOKENS && result.tokens == 20 && result.prompt_tokens > 3 && result.decode_seconds > 0);
    OK(tfgen_generated_text(s, NULL, 0, &length, &status));
    OK(tfgen_generated_text(s, text, sizeof text, &length, &status));
    EXPECT(length == c.length && memcmp(text, c.text, length) == 0 && strncmp(text, "bytes []byte) (n int, err error)", 32) == 0);
    OK(tfgen_generated_ids(s, ids, 64, &count, &status));
    EXPECT(count == 20);

    /* Token ids as prompt give the same. */
    OK(tfgen_tokenize(model, prompt, TFGEN_ZERO_TERMINATED, TFGEN_ADD_SPECIAL, prompt_ids, 64, &prompt_count, &status));
    OK(tfgen_session_reset(s, &status));
    p.on_text = NULL;
    OK(tfgen_generate_ids(s, prompt_ids, prompt_count, &p, NULL, &status));
    OK(tfgen_generated_text(s, text, sizeof text, &length, &status));
    EXPECT(length == c.length && memcmp(text, c.text, length) == 0);

    /* Stop texts, also ones that span tokens, and end tokens. */
    const char *stop[] = {"(n int"};
    OK(tfgen_session_reset(s, &status));
    p.stop = stop;
    p.stop_count = 1;
    OK(tfgen_generate(s, prompt, TFGEN_ZERO_TERMINATED, &p, &result, &status));
    OK(tfgen_generated_text(s, text, sizeof text, &length, &status));
    EXPECT(result.end == TFGEN_END_STOP_TEXT && length == strlen("bytes []byte) ") && memcmp(text, "bytes []byte) ", length) == 0);
    p.stop_count = 0;
    p.end_tokens = ids + 2;
    p.end_token_count = 1;
    OK(tfgen_session_reset(s, &status));
    OK(tfgen_generate(s, prompt, TFGEN_ZERO_TERMINATED, &p, &result, &status));
    EXPECT(result.end == TFGEN_END_OF_TEXT && result.tokens <= 2);
    p.end_tokens = NULL;

    /* A callback that ends, and one that fails. */
    p.on_text = collect;
    p.on_text_user = &d;
    d.session = s;
    d.stop_after = 3;
    d.answer = 1;
    OK(tfgen_session_reset(s, &status));
    OK(tfgen_generate(s, prompt, TFGEN_ZERO_TERMINATED, &p, &result, &status));
    EXPECT(result.end == TFGEN_END_CALLBACK && d.calls == 3);
    d.calls = 0;
    d.answer = -7;
    OK(tfgen_session_reset(s, &status));
    CODE(TFGEN_ERROR_CALLBACK, tfgen_generate(s, prompt, TFGEN_ZERO_TERMINATED, &p, &result, &status));
    p.on_text = NULL;

    /* Abort. */
    int asked = 0;
    p.abort = yes;
    p.abort_user = &asked;
    OK(tfgen_session_reset(s, &status));
    CODE(TFGEN_ERROR_ABORTED, tfgen_generate(s, prompt, TFGEN_ZERO_TERMINATED, &p, &result, &status));
    EXPECT(asked == 1 && result.end == TFGEN_END_ABORTED);
    CODE(TFGEN_ERROR_ABORTED, tfgen_prefill(s, prompt_ids, prompt_count, yes, &asked, &status));
    EXPECT(asked == 2);
    p.abort = NULL;

    /* Options that cannot be. */
    p.temperature = -1;
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_generate(s, prompt, TFGEN_ZERO_TERMINATED, &p, NULL, &status));
    p.temperature = 0;
    p.max_tokens = -1;
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_generate(s, prompt, TFGEN_ZERO_TERMINATED, &p, NULL, &status));
    p.max_tokens = 4;
    p.options = "{\"no_such_option\": 1}";
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_generate(s, prompt, TFGEN_ZERO_TERMINATED, &p, NULL, &status));
    EXPECT(strstr(status.message, "no_repeat_ngram_size") != NULL);
    p.options = "{\"top_k\": \"many\"}";
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_generate(s, prompt, TFGEN_ZERO_TERMINATED, &p, NULL, &status));
    p.options = "{";
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_generate(s, prompt, TFGEN_ZERO_TERMINATED, &p, NULL, &status));
    p.options = "{\"max_new_tokens\": 2, \"suppress_tokens\": [1, 2]}";
    result.struct_size = sizeof result;
    OK(tfgen_session_reset(s, &status));
    OK(tfgen_generate(s, prompt, TFGEN_ZERO_TERMINATED, &p, &result, &status));
    EXPECT(result.tokens == 2);
    p.options = NULL;
    p.struct_size = 1;
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_generate(s, prompt, TFGEN_ZERO_TERMINATED, &p, NULL, &status));
    result.struct_size = 1;
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_generate(s, prompt, TFGEN_ZERO_TERMINATED, NULL, &result, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_generate(s, NULL, 0, NULL, NULL, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_generate_ids(s, NULL, 4, NULL, NULL, &status));

    /* The same seed gives the same text; the context ends a generation. */
    static char again[4096];
    size_t more = 0;
    p = tfgen_generate_default_params();
    p.temperature = 0;
    p.temperature = 0.9;
    p.top_p = 0.95;
    p.top_k = 50;
    p.seed = 42;
    p.max_tokens = 12;
    result.struct_size = sizeof result;
    for (int i = 0; i < 2; i++) {
        OK(tfgen_session_reset(s, &status));
        OK(tfgen_generate(s, prompt, TFGEN_ZERO_TERMINATED, &p, NULL, &status));
        OK(tfgen_generated_text(s, i == 0 ? text : again, sizeof text, i == 0 ? &length : &more, &status));
    }
    EXPECT(length == more && memcmp(text, again, length) == 0);
    OK(tfgen_session_close(s, &status));
    s = open_session(16);
    OK(tfgen_generate(s, prompt, TFGEN_ZERO_TERMINATED, NULL, &result, &status));
    EXPECT(result.end == TFGEN_END_CONTEXT);
    CODE(TFGEN_ERROR_CONTEXT, tfgen_generate(s, prompt, TFGEN_ZERO_TERMINATED, NULL, &result, &status));
    OK(tfgen_session_close(s, &status));
}

static void test_stream(void) {
    static char text[4096];
    size_t at = 0;
    const char *piece = NULL;
    size_t length = 0;
    int32_t token = 0, done = 0;
    tfgen_session *s = open_session(0);
    tfgen_stream *stream = NULL;
    tfgen_result result;
    tfgen_generate_params p = tfgen_generate_default_params();
    p.temperature = 0;
    result.struct_size = sizeof result;
    p.max_tokens = 20;
    OK(tfgen_stream_open(s, prompt, TFGEN_ZERO_TERMINATED, NULL, 0, &p, &stream, &status));
    CODE(TFGEN_ERROR_BUSY, tfgen_decode(s, 1, &status));
    CODE(TFGEN_ERROR_BUSY, tfgen_session_close(s, &status));
    for (;;) {
        OK(tfgen_stream_next(stream, &piece, &length, &token, &done, &result, &status));
        if (done || status.code != 0) break;
        memcpy(text + at, piece, length);
        at += length;
    }
    EXPECT(result.end == TFGEN_END_MAX_TOKENS && strncmp(text, "bytes []byte) (n int, err error)", 32) == 0);
    OK(tfgen_stream_next(stream, &piece, &length, &token, &done, &result, &status));
    EXPECT(done == 1);
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_stream_next(stream, NULL, &length, &token, &done, NULL, &status));
    OK(tfgen_stream_close(stream, &status));
    CODE(TFGEN_ERROR_HANDLE, tfgen_stream_close(stream, &status));
    CODE(TFGEN_ERROR_HANDLE, tfgen_stream_next(stream, &piece, &length, &token, &done, NULL, &status));
    OK(tfgen_stream_close(NULL, &status));

    /* Closed in the middle, cancelled, and failing. */
    OK(tfgen_session_reset(s, &status));
    p.max_tokens = 0;
    OK(tfgen_stream_open(s, prompt, TFGEN_ZERO_TERMINATED, NULL, 0, &p, &stream, &status));
    OK(tfgen_stream_next(stream, &piece, &length, &token, &done, &result, &status));
    OK(tfgen_stream_close(stream, &status));
    OK(tfgen_session_reset(s, &status));
    OK(tfgen_stream_open(s, prompt, TFGEN_ZERO_TERMINATED, NULL, 0, &p, &stream, &status));
    OK(tfgen_session_cancel(s, &status));
    tfgen_code code;
    do code = tfgen_stream_next(stream, &piece, &length, &token, &done, &result, &status);
    while (code == TFGEN_OK && !done);
    EXPECT(code == TFGEN_ERROR_ABORTED);
    OK(tfgen_stream_close(stream, &status));
    OK(tfgen_session_reset(s, &status));
    int32_t bad = info.vocabulary;
    OK(tfgen_stream_open(s, NULL, 0, &bad, 1, &p, &stream, &status));
    CODE(TFGEN_ERROR_TOKEN, tfgen_stream_next(stream, &piece, &length, &token, &done, &result, &status));
    OK(tfgen_stream_close(stream, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_stream_open(s, NULL, 0, NULL, 0, &p, &stream, &status));
    CODE(TFGEN_ERROR_HANDLE, tfgen_stream_open(NULL, prompt, 1, NULL, 0, &p, &stream, &status));
    OK(tfgen_session_close(s, &status));
}

/* ---- encoders' functions on a decoder ---- */

static void test_unsupported(void) {
    const char *texts[] = {"a"};
    float v[4];
    int32_t id = 1;
    size_t size = 0, one = 1;
    CODE(TFGEN_ERROR_UNSUPPORTED, tfgen_embed(model, texts, NULL, 1, NULL, NULL, v, 4, &size, &status));
    CODE(TFGEN_ERROR_UNSUPPORTED, tfgen_classify(model, texts, NULL, NULL, NULL, 1, NULL, NULL, v, 4, &size, &status));
    CODE(TFGEN_ERROR_UNSUPPORTED, tfgen_run(model, &id, NULL, &one, 1, "x", NULL, NULL, v, 4, &size, &status));
    CODE(TFGEN_ERROR_UNSUPPORTED, tfgen_trace(model, &id, NULL, 1, "hidden/0", v, 4, &size, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_run(model, &id, NULL, &one, 1, NULL, NULL, NULL, v, 4, &size, &status));
}

/* ---- threads ---- */

static tfgen_session *shared;
static int counts[TFGEN_ERROR_FORKED + 1];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *hammer(void *user) {
    tfgen_status own;
    for (int i = 0; i < 100; i++) {
        tfgen_code code = tfgen_decode(shared, i % 50, &own);
        pthread_mutex_lock(&lock);
        counts[code]++;
        pthread_mutex_unlock(&lock);
    }
    return user;
}

static void *own_session(void *user) {
    tfgen_status own;
    tfgen_session *s = NULL;
    char *text = user;
    size_t length = 0;
    tfgen_generate_params p = tfgen_generate_default_params();
    p.temperature = 0;
    p.max_tokens = 16;
    if (tfgen_session_open(model, NULL, &s, &own) != TFGEN_OK || tfgen_generate(s, prompt, TFGEN_ZERO_TERMINATED, &p, NULL, &own) != TFGEN_OK ||
        tfgen_generated_text(s, text, 255, &length, &own) != TFGEN_OK || tfgen_session_close(s, &own) != TFGEN_OK)
        snprintf(text, 256, "%.200s", own.message);
    else text[length] = 0;
    return NULL;
}

static void *cancel_later(void *user) {
    struct timespec pause = {0, 30000000};
    nanosleep(&pause, NULL);
    return tfgen_session_cancel(user, NULL) == TFGEN_OK ? NULL : user;
}

static void test_threads(void) {
    enum { n = 4 };
    pthread_t t[n];
    static char texts[n][256];
    shared = open_session(0);
    for (int i = 0; i < n; i++) pthread_create(&t[i], NULL, hammer, NULL);
    for (int i = 0; i < n; i++) pthread_join(t[i], NULL);
    int32_t length = 0;
    OK(tfgen_session_length(shared, &length, NULL, &status));
    EXPECT(counts[TFGEN_OK] == length && length > 0 && counts[TFGEN_OK] + counts[TFGEN_ERROR_BUSY] == n * 100);
    OK(tfgen_session_close(shared, &status));
    for (int i = 0; i < n; i++) pthread_create(&t[i], NULL, own_session, texts[i]);
    for (int i = 0; i < n; i++) pthread_join(t[i], NULL);
    for (int i = 0; i < n; i++) EXPECT(strncmp(texts[i], "bytes []byte) (n int", 20) == 0 && strcmp(texts[i], texts[0]) == 0);

    /* Cancelled by another thread. Generations repeat until the cancellation arrives in one. */
    tfgen_session *s = open_session(0);
    tfgen_code code = TFGEN_OK;
    int32_t no_end = -1;
    tfgen_generate_params p = tfgen_generate_default_params();
    p.temperature = 0;
    p.end_tokens = &no_end;
    p.end_token_count = 0;
    for (int i = 0; i < 50 && code == TFGEN_OK; i++) {
        OK(tfgen_session_reset(s, &status));
        pthread_create(&t[0], NULL, cancel_later, s);
        code = tfgen_generate(s, prompt, TFGEN_ZERO_TERMINATED, &p, NULL, &status);
        pthread_join(t[0], NULL);
    }
    EXPECT(code == TFGEN_ERROR_ABORTED);
    OK(tfgen_session_reset(s, &status)); /* a cancellation ends one call, not the next */
    OK(tfgen_decode(s, 1, &status));
    OK(tfgen_session_close(s, &status));
}

/* ---- closing, forks, leaks ---- */

static void test_closed_model(const char *weights) {
    tfgen_session *s = open_session(0), *t = NULL;
    tfgen_model *closed = model;
    OK(tfgen_model_close(model, &status));
    CODE(TFGEN_ERROR_CLOSED, tfgen_decode(s, 1, &status));
    CODE(TFGEN_ERROR_CLOSED, tfgen_generate(s, prompt, TFGEN_ZERO_TERMINATED, NULL, NULL, &status));
    CODE(TFGEN_ERROR_HANDLE, tfgen_session_open(closed, NULL, &t, &status));
    OK(tfgen_session_close(s, &status));
    OK(tfgen_model_open(weights, NULL, &model, &status));
}

static void test_fork(void) {
    pid_t child = fork();
    if (child == 0) {
        tfgen_model *m = NULL;
        CODE(TFGEN_ERROR_FORKED, tfgen_model_open("x", NULL, &m, &status));
        CODE(TFGEN_ERROR_FORKED, tfgen_init(TFGEN_ABI_VERSION, &status));
        CODE(TFGEN_ERROR_FORKED, tfgen_model_close(model, &status));
        _exit(status.code == TFGEN_ERROR_FORKED ? 0 : 1);
    }
    int result = -1;
    waitpid(child, &result, 0);
    EXPECT(result == 0);
}

static long resident(void) {
    long pages = 0, skip;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL || fscanf(f, "%ld %ld", &skip, &pages) != 2) pages = 0;
    if (f != NULL) fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

static void test_leaks(const char *weights) {
    long early = 0;
    for (int i = 0; i < 100; i++) {
        tfgen_model *m = NULL;
        tfgen_session *s = NULL;
        OK(tfgen_model_open(weights, NULL, &m, &status));
        OK(tfgen_session_open(m, NULL, &s, &status));
        OK(tfgen_decode(s, 1, &status));
        OK(tfgen_session_close(s, &status));
        OK(tfgen_model_close(m, &status));
        if (i == 30) early = resident();
    }
    long grown = resident() - early;
    if (grown > 16 << 20) printf("100 cycles: resident memory grew by %ld bytes after the 30th\n", grown);
    EXPECT(grown <= 16 << 20);
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    test_fork_before_init(argv[1]);
    test_init();
    test_info();
    test_bad_weights(argv[1], argv[2]);
    test_model(argv[1]);
    test_tokenizer();
    test_steps();
    test_generate();
    test_stream();
    test_unsupported();
    test_threads();
    test_closed_model(argv[1]);
    test_fork();
    if (argc == 3) test_leaks(argv[1]);
    OK(tfgen_model_close(model, &status));
    if (failures == 0) printf("ok\n");
    return failures != 0;
}
