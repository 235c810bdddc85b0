/* Uses the functions of an encoder-decoder without tokenizer: source WEIGHTS. The expected tokens are those that transformers
 * makes of the first input of the golden case t5. */
#include <math.h>

#include "test.h"

static const int32_t source[] = {97, 42, 140, 196, 86, 149, 1}, greedy[] = {157, 80, 74, 61, 59, 157, 139, 58, 59, 157, 0, 165, 90, 194},
                     beams[] = {157, 165, 90, 165, 90, 165, 90, 165, 90, 165, 90, 165, 90, 165};
enum { SOURCE = 7, TOKENS = 14, VOCABULARY = 197 };

static int32_t best(tfgen_session *s) {
    const float *logits = NULL;
    size_t n = 0, at = 0;
    OK(tfgen_logits(s, &logits, &n, &status));
    for (size_t i = 1; i < n; i++)
        if (logits[i] > logits[at]) at = i;
    return (int32_t)at;
}

static void steps(tfgen_model *model) {
    tfgen_session *s = NULL, *copy = NULL;
    int32_t id, start[4], length = 0;
    size_t count = 0;
    OK(tfgen_start_tokens(start, 4, &count, &status));
    EXPECT(count == 1 && start[0] == 0);
    OK(tfgen_session_open(model, NULL, &s, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_prefill(s, start, count, NULL, NULL, &status));
    CODE(TFGEN_ERROR_CONTEXT, tfgen_encode(s, source, 0, NULL, NULL, &status));
    id = 197;
    CODE(TFGEN_ERROR_TOKEN, tfgen_encode(s, &id, 1, NULL, NULL, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_encode(s, NULL, 3, NULL, NULL, &status));
    for (int round = 0; round < 2; round++) { /* reading a source empties the session */
        OK(tfgen_encode(s, source, SOURCE, NULL, NULL, &status));
        OK(tfgen_session_length(s, &length, NULL, &status));
        EXPECT(length == 0);
        OK(tfgen_prefill(s, start, count, NULL, NULL, &status));
        for (int i = 0; i < TOKENS; i++) {
            if (i == 5) OK(tfgen_session_fork(s, &copy, &status));
            EXPECT(best(s) == greedy[i]);
            OK(tfgen_decode(s, greedy[i], &status));
        }
        OK(tfgen_decode(copy, greedy[5], &status)); /* the copy has the source too */
        EXPECT(best(copy) == greedy[6]);
        OK(tfgen_session_close(copy, &status));
    }
    OK(tfgen_session_close(s, &status));
}

/* logits_of appends a token and copies the logits behind it. */
static void logits_of(tfgen_session *s, int32_t id, float *out) {
    const float *logits = NULL;
    size_t n = 0;
    OK(tfgen_decode(s, id, &status));
    OK(tfgen_logits(s, &logits, &n, &status));
    EXPECT(n == VOCABULARY);
    memcpy(out, logits, VOCABULARY * sizeof *out);
}

/* States have the source: a restored session goes on with the same bits, and so does every row of a batch. */
static void states(tfgen_model *model) {
    tfgen_session *s = NULL, *other = NULL, *third = NULL;
    int32_t start[4], length = 0, next[] = {74, 5};
    float want[VOCABULARY], got[VOCABULARY];
    const float *logits = NULL;
    size_t count = 0, size = 0;
    tfgen_session_params p = tfgen_session_default_params();
    OK(tfgen_start_tokens(start, 4, &count, &status));
    OK(tfgen_session_open(model, NULL, &s, &status));
    OK(tfgen_session_open(model, NULL, &other, &status));
    OK(tfgen_encode(s, source, SOURCE, NULL, NULL, &status));
    OK(tfgen_prefill(s, start, count, NULL, NULL, &status));
    OK(tfgen_decode(s, greedy[0], &status));
    OK(tfgen_session_save(s, NULL, 0, &size, &status));
    char *state = malloc(size);
    OK(tfgen_session_save(s, state, size, &size, &status));
    OK(tfgen_encode(other, source + 2, 3, NULL, NULL, &status)); /* another source, which is replaced */
    OK(tfgen_session_restore(other, state, size, &status));
    OK(tfgen_session_length(other, &length, NULL, &status));
    EXPECT(length == 2);
    logits_of(s, 80, want);
    logits_of(other, 80, got);
    EXPECT(memcmp(want, got, sizeof got) == 0);

    OK(tfgen_session_truncate(other, 2, &status)); /* back, and again */
    logits_of(other, 80, got);
    EXPECT(memcmp(want, got, sizeof got) == 0);

    OK(tfgen_session_open(model, NULL, &third, &status)); /* a batch with another source */
    OK(tfgen_encode(third, source + 2, 5, NULL, NULL, &status));
    OK(tfgen_prefill(third, start, count, NULL, NULL, &status));
    tfgen_session *both[] = {s, third};
    OK(tfgen_decode_batch(both, next, 2, &status));
    logits_of(other, next[0], want);
    OK(tfgen_logits(s, &logits, NULL, &status));
    EXPECT(memcmp(want, logits, sizeof want) == 0);
    OK(tfgen_logits(third, &logits, NULL, &status));
    memcpy(want, logits, sizeof want);
    OK(tfgen_session_truncate(third, 1, &status));
    logits_of(third, next[1], got);
    EXPECT(memcmp(want, got, sizeof got) == 0);
    OK(tfgen_session_close(third, &status));

    CODE(TFGEN_ERROR_ARGUMENT, tfgen_session_restore(other, state, size - 1, &status)); /* leaves it empty, without a source */
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_prefill(other, start, count, NULL, NULL, &status));
    p.context = SOURCE - 1;
    OK(tfgen_session_open(model, &p, &third, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_session_restore(third, state, size, &status)); /* its source does not fit */
    OK(tfgen_session_close(third, &status));
    state[56] = 127; /* a source of another length than follows */
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_session_restore(other, state, size, &status));
    free(state);
    OK(tfgen_session_close(other, &status));
    OK(tfgen_session_close(s, &status));
}

static void generations(tfgen_model *model) {
    tfgen_session *s = NULL;
    tfgen_stream *stream = NULL;
    tfgen_generate_params p = tfgen_generate_default_params();
    int32_t ids[64], token = 0, done = 0;
    size_t count = 0, length = 0;
    const char *text = NULL;
    p.max_tokens = TOKENS;
    OK(tfgen_session_open(model, NULL, &s, &status));
    CODE(TFGEN_ERROR_UNSUPPORTED, tfgen_generate(s, "text", TFGEN_ZERO_TERMINATED, &p, NULL, &status));
    OK(tfgen_generate_ids(s, source, SOURCE, &p, NULL, &status));
    OK(tfgen_generated_ids(s, ids, 64, &count, &status));
    EXPECT(count == TOKENS && memcmp(ids, greedy, sizeof greedy) == 0);
    OK(tfgen_stream_open(s, NULL, 0, source, SOURCE, &p, &stream, &status));
    for (int i = 0; tfgen_stream_next(stream, &text, &length, &token, &done, NULL, &status) == TFGEN_OK && !done; i++) EXPECT(token == greedy[i]);
    OK(tfgen_stream_close(stream, &status));
    p.options = "{\"num_beams\": 4}"; /* a session gives the best sequence of a search in one piece */
    OK(tfgen_generate_ids(s, source, SOURCE, &p, NULL, &status));
    OK(tfgen_generated_ids(s, ids, 64, &count, &status));
    EXPECT(count == TOKENS && memcmp(ids, beams, sizeof beams) == 0);
    p.options = "{\"guidance_scale\": 1.5}";
    OK(tfgen_generate_ids(s, source, SOURCE, &p, NULL, &status));
    p.options = "{\"json\": true}";
    CODE(TFGEN_ERROR_UNSUPPORTED, tfgen_generate_ids(s, source, SOURCE, &p, NULL, &status));
    p.options = "{\"num_beams\": 1000000000}";
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_generate_ids(s, source, SOURCE, &p, NULL, &status));
    OK(tfgen_session_close(s, &status));
}

static void searches(tfgen_model *model) {
    tfgen_sequences *found = NULL;
    tfgen_sequence_info info = {.struct_size = sizeof info}, next = info;
    tfgen_generate_params p = tfgen_generate_default_params();
    int32_t ids[64];
    size_t count = 0;
    p.max_tokens = TOKENS;
    p.options = "{\"num_beams\": 4, \"num_return_sequences\": 3, \"early_stopping\": false}";
    OK(tfgen_search(model, NULL, 0, source, SOURCE, &p, &found, &status));
    OK(tfgen_sequences_count(found, &count, &status));
    EXPECT(count == 3);
    OK(tfgen_sequence_get_info(found, 0, &info, &status));
    EXPECT(fabs(info.score + 2.779060125350952) < 1e-4 && info.end == TFGEN_END_MAX_TOKENS && info.end_token == -1);
    OK(tfgen_sequence_get_info(found, 1, &next, &status));
    EXPECT(next.score <= info.score);
    OK(tfgen_sequence_ids(found, 0, NULL, 0, &count, &status));
    EXPECT(count == TOKENS);
    CODE(TFGEN_ERROR_BUFFER, tfgen_sequence_ids(found, 0, ids, 1, &count, &status));
    OK(tfgen_sequence_ids(found, 0, ids, 64, &count, &status));
    EXPECT(memcmp(ids, beams, sizeof beams) == 0);
    CODE(TFGEN_ERROR_UNSUPPORTED, tfgen_sequence_text(found, 0, NULL, 0, &count, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_sequence_ids(found, 3, ids, 64, &count, &status));
    info.struct_size = 1;
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_sequence_get_info(found, 0, &info, &status));
    OK(tfgen_sequences_close(found, &status));
    CODE(TFGEN_ERROR_HANDLE, tfgen_sequences_close(found, &status));
    OK(tfgen_sequences_close(NULL, &status));
    p.options = "{\"num_beams\": 4, \"num_return_sequences\": 5}";
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_search(model, NULL, 0, source, SOURCE, &p, &found, &status));
    p.options = "{\"early_stopping\": \"sometimes\"}";
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_search(model, NULL, 0, source, SOURCE, &p, &found, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_search(model, NULL, 0, source, SOURCE, NULL, NULL, &status));
    CODE(TFGEN_ERROR_HANDLE, tfgen_search(NULL, NULL, 0, source, SOURCE, NULL, &found, &status));
}

int main(int argc, char **argv) {
    tfgen_model *model = NULL;
    tfgen_info info = {.struct_size = sizeof info};
    if (argc != 2) return 2;
    OK(tfgen_init(TFGEN_ABI_VERSION, &status));
    OK(tfgen_model_open(argv[1], NULL, &model, &status));
    OK(tfgen_get_info(&info, &status));
    EXPECT(info.features == (TFGEN_CAN_GENERATE | TFGEN_CAN_ENCODE) && info.layers == 2);
    steps(model);
    states(model);
    generations(model);
    searches(model);
    OK(tfgen_model_close(model, &status));
    if (failures == 0) printf("ok\n");
    return failures != 0;
}
