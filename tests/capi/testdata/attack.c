/* Gives a decoder's library what an attacker or a mistaken caller would: attack WEIGHTS. Everything has to end soon, with a status. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <unistd.h>

#include "test.h"

enum { A = TFGEN_ERROR_ARGUMENT, T = TFGEN_ERROR_TOKEN, DEEP = 1000000 };

static tfgen_model *model;
static tfgen_session *session;
static const char *weights;

/* repeat makes a text of n times open, a middle, and n times close, between head and tail. */
static char *repeat(const char *head, const char *open, size_t n, const char *middle, const char *close, const char *tail) {
    size_t a = strlen(open), z = strlen(close);
    char *text = malloc(strlen(head) + strlen(middle) + strlen(tail) + n * (a + z) + 1), *at = text;
    at += sprintf(at, "%s", head);
    for (size_t i = 0; i < n; i++, at += a) memcpy(at, open, a);
    at += sprintf(at, "%s", middle);
    for (size_t i = 0; i < n; i++, at += z) memcpy(at, close, z);
    strcpy(at, tail);
    return text;
}

static tfgen_code generate(const char *options) {
    tfgen_generate_params p = tfgen_generate_default_params();
    p.max_tokens = 3;
    p.options = options;
    OK(tfgen_session_reset(session, &status));
    return tfgen_generate(session, "func", TFGEN_ZERO_TERMINATED, &p, NULL, &status);
}

/* Nested and endless options. */
static void deep_options(void) {
    struct {
        const char *head, *open;
        size_t n;
        const char *middle, *close, *tail;
    } cases[] = {
        {"", "[", DEEP, "", "]", ""},
        {"{\"json_schema\": ", "{\"a\": ", DEEP, "1", "}", "}"},
        {"{\"json_schema\": ", "{\"items\": ", 5000, "{}", "}", "}"},
        {"{\"json_schema\": ", "{\"anyOf\": [", 4000, "{}", "]}", "}"},
        {"{\"regex\": \"", "(", DEEP, "a", ")", "\"}"},
        {"{\"regex\": \"", "(?:", DEEP / 5, "a", ")*", "\"}"},
        {"{\"grammar\": \"root ::= ", "(", DEEP, "\\\"a\\\"", ")", "\"}"},
        {"{\"choices\": [\"a\"", ", \"bcd\"", DEEP / 4, "", "", "]}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *options = repeat(cases[i].head, cases[i].open, cases[i].n, cases[i].middle, cases[i].close, cases[i].tail);
        CODE(A, generate(options));
        free(options);
    }
    size_t length = 0;
    char *chat = repeat("{\"messages\": ", "[", DEEP, "", "]", "}");
    CODE(TFGEN_ERROR_TEMPLATE, tfgen_chat_template_json(chat, TFGEN_ZERO_TERMINATED, NULL, 0, &length, &status));
    free(chat);
}

/* Options that ask for too much or for what there is not. */
static void wrong_options(void) {
    static const struct {
        tfgen_code code;
        const char *options;
    } cases[] = {
        {A, "{\"json_schema\": {\"$ref\": \"#\"}}"},
        {A, "{\"json_schema\": {\"$defs\": {\"a\": {\"$ref\": \"#/$defs/b\"}, \"b\": {\"$ref\": \"#/$defs/a\"}}, \"$ref\": \"#/$defs/a\"}}"},
        {A, "{\"json_schema\": {\"type\": \"array\", \"minItems\": 1000000000}}"},
        {A, "{\"json_schema\": {\"type\": \"string\", \"minLength\": 1000000000}}"},
        {A, "{\"json_schema\": {\"type\": \"integer\", \"minimum\": 1e999999999}}"},
        {A, "{\"regex\": \"a{1000000000}\"}"}, {A, "{\"regex\": \"((a{1000}){1000}){1000}\"}"}, {A, "{\"regex\": \".*a.{200}\"}"},
        {A, "{\"grammar\": \"root ::= root \\\"a\\\" | \\\"a\\\"\"}"}, {A, "{\"grammar\": \"root ::= a\\na ::= b\\nb ::= a\"}"},
        {A, "{\"grammar\": \"root ::= \\\"a\\\"{1000000000}\"}"}, {A, "{\"choices\": []}"},
        {A, "{\"top_k\": -9223372036854775808}"}, {A, "{\"top_k\": 9223372036854775808}"}, {A, "{\"logprobs\": -5}"},
        {A, "{\"num_beams\": 1000000000}"}, {A, "{\"num_beams\": 4, \"num_beam_groups\": 3}"}, {A, "{\"no_repeat_ngram_size\": -1}"},
        {A, "{\"prompt_lookup_num_tokens\": -3}"}, {A, "{\"min_tokens_to_keep\": -1}"}, {A, "{\"temperature\": 1e-320}"}, {A, "{\"temperature\": 1e308}"},
        {A, "{\"temperature\": 1e999}"}, {A, "{\"mirostat\": 77}"}, {A, "{\"mirostat\": 2, \"mirostat_tau\": -1e308}"}, {A, "{\"typical_p\": -1}"},
        {A, "{\"repetition_penalty\": -1}"}, {A, "{\"dola_layers\": [0]}"}, {A, "{\"max_time\": -1}"}, {A, "{\"max_time\": 1e300}"},
        {A, "{\"exponential_decay_length_penalty\": [1]}"}, {A, "{\"sequence_bias\": [[[1]]]}"}, {A, "{\"sequence_bias\": [null]}"},
        {A, "{\"forced_decoder_ids\": [[1]]}"}, {A, "{\"force_words_ids\": [1]}"}, {A, "{\"\xff\xfe\": 1}"}, {A, "{\"a\": 1} {"}, {A, ""},
        {T, "{\"suppress_tokens\": [-1]}"}, {T, "{\"suppress_tokens\": 4096}"}, {T, "{\"bad_words_ids\": [[1, 4096]]}"}, {T, "{\"forced_eos_token_id\": [-5]}"},
        {T, "{\"forced_bos_token_id\": 2147483647}"}, {T, "{\"begin_suppress_tokens\": [4096]}"}, {T, "{\"eos_token_id\": -1}"},
        {T, "{\"guidance_scale\": 2, \"negative_prompt_ids\": [-1]}"}, {T, "{\"sequence_bias\": [[[4096], 1]]}"}, {T, "{\"force_words_ids\": [[[4096]]]}"},
        {T, "{\"forced_decoder_ids\": [[1, 4096]]}"},
        {TFGEN_OK, "{\"top_k\": 1000000000000000000}"}, {TFGEN_OK, "{\"max_new_tokens\": 3, \"max_length\": 9223372036854775807}"},
        {TFGEN_OK, "{\"no_repeat_ngram_size\": 1000000000000000000}"}, {TFGEN_OK, "{\"prompt_lookup_num_tokens\": 1000000000000000000}"},
        {TFGEN_OK, "{\"penalty_last_n\": 1000000000000000000, \"frequency_penalty\": 1}"}, {TFGEN_OK, "{\"logprobs\": 1000000000}"},
        {TFGEN_OK, "{\"choices\": [\"\\ud800\"]}"}, {TFGEN_OK, "{\"regex\": \"\xff\xfe\"}"}, {TFGEN_OK, "{\"choices\": [\"a\\u0000b\"]}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int before = failures;
        CODE(cases[i].code, generate(cases[i].options));
        if (failures > before) printf("  options: %.200s\n", cases[i].options);
    }
    tfgen_sequences *found = NULL;
    tfgen_generate_params p = tfgen_generate_default_params();
    p.max_tokens = 2;
    static const char *const many[] = {"{\"best_of\": 1000000000}", "{\"num_return_sequences\": 1000000000}", "{\"num_beams\": 4096}", "{\"best_of\": -1}"};
    for (size_t i = 0; i < 4; i++) {
        p.options = many[i];
        CODE(A, tfgen_search(model, "func", TFGEN_ZERO_TERMINATED, NULL, 0, &p, &found, &status));
        EXPECT(found == NULL);
    }
}

/* Lengths that cannot be. */
static void lengths(void) {
    const char *const texts[] = {"a"};
    const size_t huge = (size_t)1 << 62;
    int32_t id = 1;
    size_t n = 0;
    float value;
    tfgen_message message = {"\xff\xff", "\xfe"};
    tfgen_sequences *found = NULL;
    tfgen_stream *stream = NULL;
    OK(tfgen_session_reset(session, &status));
    CODE(A, tfgen_tokenize(model, "a", huge, 0, NULL, 0, &n, &status));
    CODE(A, tfgen_tokenize(model, "a", (size_t)-2, 0, NULL, 0, &n, &status));
    CODE(A, tfgen_token_id(model, "a", huge, &id, &status));
    id = 1;
    CODE(A, tfgen_detokenize(model, &id, huge, 0, NULL, 0, &n, &status));
    CODE(A, tfgen_generate(session, "a", huge, NULL, NULL, &status));
    CODE(A, tfgen_generate_ids(session, &id, huge, NULL, NULL, &status));
    CODE(A, tfgen_generate_ids(session, &id, 0, NULL, NULL, &status));
    CODE(A, tfgen_search(model, "a", huge, NULL, 0, NULL, &found, &status));
    CODE(A, tfgen_stream_open(session, "a", huge, NULL, 0, NULL, &stream, &status));
    CODE(A, tfgen_prefill(session, &id, huge, NULL, NULL, &status));
    CODE(TFGEN_ERROR_CONTEXT, tfgen_prefill(session, &id, (size_t)1 << 39, NULL, NULL, &status));
    CODE(A, tfgen_score(session, &id, huge, NULL, NULL, NULL, 0, &n, &status));
    OK(tfgen_score(session, &id, 1, NULL, NULL, NULL, 0, &n, &status));
    CODE(TFGEN_ERROR_BUFFER, tfgen_score(session, &id, 1, NULL, NULL, &value, 1, &n, &status));
    CODE(A, tfgen_decode_batch(&session, &id, huge, &status));
    CODE(A, tfgen_session_restore(session, "a", (size_t)-1, &status));
    CODE(A, tfgen_session_restore(session, NULL, 10, &status));
    CODE(A, tfgen_chat_template(&message, huge, 1, NULL, 0, &n, &status));
    CODE(TFGEN_ERROR_TEMPLATE, tfgen_chat_template(&message, 1, 1, NULL, 0, &n, &status)); /* no UTF-8, and no such role */
    CODE(TFGEN_ERROR_UNSUPPORTED, tfgen_embed(model, texts, &huge, huge, NULL, NULL, &value, 1, &n, &status));
    CODE(TFGEN_ERROR_UNSUPPORTED, tfgen_encode(session, &id, 1, NULL, NULL, &status));
}

/* Callbacks that close, cancel and call again what they are called from. */
static int32_t close_all(void *user, const char *text, size_t length, int32_t token) {
    tfgen_status inner;
    (void)text, (void)length, (void)token;
    ++*(int *)user;
    EXPECT(tfgen_session_close(session, &inner) == TFGEN_ERROR_BUSY);
    EXPECT(tfgen_session_save(session, NULL, 0, &(size_t){0}, &inner) == TFGEN_ERROR_BUSY);
    tfgen_model_close(model, &inner); /* the first time */
    return 0;
}

static int32_t close_model(void *user) {
    tfgen_status inner;
    ++*(int *)user;
    tfgen_model_close(model, &inner);
    return 0;
}

static void reopen(void) {
    OK(tfgen_session_close(session, &status));
    OK(tfgen_model_open(weights, NULL, &model, &status));
    OK(tfgen_session_open(model, NULL, &session, &status));
}

static void callbacks(void) {
    tfgen_generate_params p = tfgen_generate_default_params();
    int calls = 0;
    p.on_text = close_all;
    p.on_text_user = &calls;
    OK(tfgen_session_reset(session, &status));
    CODE(TFGEN_ERROR_CLOSED, tfgen_generate(session, "func main() {", TFGEN_ZERO_TERMINATED, &p, NULL, &status));
    EXPECT(calls > 0);
    reopen();
    static int32_t ids[300];
    calls = 0;
    tfgen_code code = tfgen_prefill(session, ids, 300, close_model, &calls, &status);
    EXPECT(calls > 0 && (code == TFGEN_OK || code == TFGEN_ERROR_CLOSED));
    reopen();
    calls = 0;
    code = tfgen_model_verify(model, close_model, &calls, &status);
    EXPECT(code == TFGEN_OK || code == TFGEN_ERROR_CLOSED);
    if (calls == 0) OK(tfgen_model_close(model, &status));
    reopen();
}

/* Threads that use a model while another one closes it. */
static void *use(void *user) {
    tfgen_status own;
    size_t n = 0;
    tfgen_code code = TFGEN_OK;
    for (int i = 0; code != TFGEN_ERROR_HANDLE; i++) {
        code = tfgen_tokenize(user, "func main() { return }", TFGEN_ZERO_TERMINATED, 0, NULL, 0, &n, &own);
        if (code != TFGEN_OK && code != TFGEN_ERROR_HANDLE) return user;
        tfgen_session *s = NULL;
        code = tfgen_session_open(user, NULL, &s, &own);
        if (code == TFGEN_OK) {
            tfgen_generate_params p = tfgen_generate_default_params();
            p.max_tokens = 4;
            tfgen_code made = tfgen_generate(s, "func", TFGEN_ZERO_TERMINATED, &p, NULL, &own);
            if (made != TFGEN_OK && made != TFGEN_ERROR_CLOSED) return user;
            if (tfgen_session_close(s, &own) != TFGEN_OK) return user;
        } else if (code != TFGEN_ERROR_HANDLE && code != TFGEN_ERROR_CLOSED) return user;
    }
    return NULL;
}

static void closing(void) {
    for (int round = 0; round < 8; round++) {
        pthread_t t[3];
        tfgen_model *m = NULL;
        struct timespec pause = {0, 10000000};
        OK(tfgen_model_open(weights, NULL, &m, &status));
        for (int i = 0; i < 3; i++) pthread_create(&t[i], NULL, use, m);
        nanosleep(&pause, NULL);
        OK(tfgen_model_close(m, &status));
        for (int i = 0; i < 3; i++) {
            void *bad = NULL;
            pthread_join(t[i], &bad);
            EXPECT(bad == NULL);
        }
    }
}

/* One stream that several threads ask. */
static tfgen_stream *shared;

static void *ask(void *user) {
    tfgen_status own;
    const char *text = NULL;
    size_t length = 0;
    int32_t token = 0, done = 0;
    for (int i = 0; i < 200 && !done; i++) {
        tfgen_code code = tfgen_stream_next(shared, &text, &length, &token, &done, NULL, &own);
        if (code != TFGEN_OK && code != TFGEN_ERROR_BUSY) return user;
    }
    return NULL;
}

static void streams(void) {
    pthread_t t[3];
    tfgen_generate_params p = tfgen_generate_default_params();
    p.max_tokens = 50;
    OK(tfgen_session_reset(session, &status));
    OK(tfgen_stream_open(session, "func main() {", TFGEN_ZERO_TERMINATED, NULL, 0, &p, &shared, &status));
    for (int i = 0; i < 3; i++) pthread_create(&t[i], NULL, ask, &shared);
    for (int i = 0; i < 3; i++) {
        void *bad = NULL;
        pthread_join(t[i], &bad);
        EXPECT(bad == NULL);
    }
    OK(tfgen_stream_close(shared, &status));
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    weights = argv[1];
    alarm(300); /* nothing may wait for ever */
    OK(tfgen_init(TFGEN_ABI_VERSION, &status));
    OK(tfgen_model_open(weights, NULL, &model, &status));
    OK(tfgen_session_open(model, NULL, &session, &status));
    deep_options();
    wrong_options();
    lengths();
    callbacks();
    closing();
    streams();
    OK(tfgen_session_close(session, &status));
    OK(tfgen_model_close(model, &status));
    if (failures == 0) printf("ok\n");
    return failures != 0;
}
