/* Searches, log probabilities and grammars of a decoder with a tokenizer: options WEIGHTS. */
#include <ctype.h>
#include <math.h>

#include "test.h"

static const char prompt[] = "func (r *Reader) Read(";

/* run generates with options and returns the length of the text. */
static size_t run(tfgen_session *s, const char *options, char *text, size_t capacity) {
    tfgen_generate_params p = tfgen_generate_default_params();
    size_t length = 0;
    p.max_tokens = 24;
    p.temperature = 0;
    p.options = options;
    OK(tfgen_session_reset(s, &status));
    OK(tfgen_generate(s, prompt, TFGEN_ZERO_TERMINATED, &p, NULL, &status));
    OK(tfgen_generated_text(s, text, capacity - 1, &length, &status));
    text[length] = 0;
    return length;
}

static void grammars(tfgen_session *s) {
    char text[1024];
    size_t n = run(s, "{\"regex\": \"[0-9]{5}\"}", text, sizeof text);
    EXPECT(n == 5);
    for (size_t i = 0; i < n; i++) EXPECT(isdigit((unsigned char)text[i]));
    run(s, "{\"choices\": [\"tea\", \"coffee\"]}", text, sizeof text);
    EXPECT(strcmp(text, "tea") == 0 || strcmp(text, "coffee") == 0);
    run(s, "{\"grammar\": \"root ::= \\\"x\\\" [ab]{3}\"}", text, sizeof text);
    EXPECT(strlen(text) == 4 && text[0] == 'x' && strspn(text + 1, "ab") == 3);
    run(s, "{\"json_schema\": {\"type\": \"object\", \"properties\": {\"n\": {\"type\": \"integer\", \"minimum\": 3, \"maximum\": 3}}, "
           "\"required\": [\"n\"], \"additionalProperties\": false}}", text, sizeof text);
    EXPECT(text[0] == '{' && strstr(text, "\"n\"") != NULL && strchr(text, '3') != NULL && text[strlen(text) - 1] == '}');
    run(s, "{\"json\": true}", text, sizeof text);
    EXPECT(strchr("{[\"-0123456789tfn", text[0]) != NULL);
}

/* Guesses do not change what is generated, and the logits afterwards are those behind the last token. */
static void guesses(tfgen_session *s) {
    char text[1024], guessed[1024];
    int32_t length = 0, again = 0;
    const float *logits = NULL;
    size_t n = 0;
    run(s, "{}", text, sizeof text);
    OK(tfgen_session_length(s, &length, NULL, &status));
    OK(tfgen_logits(s, &logits, &n, &status));
    float *want = malloc(n * sizeof *want);
    memcpy(want, logits, n * sizeof *want);
    run(s, "{\"prompt_lookup_num_tokens\": 5, \"max_matching_ngram_size\": 3}", guessed, sizeof guessed);
    EXPECT(strcmp(text, guessed) == 0);
    OK(tfgen_session_length(s, &again, NULL, &status));
    OK(tfgen_logits(s, &logits, &n, &status));
    EXPECT(length == again && memcmp(want, logits, n * sizeof *want) == 0);
    free(want);
}

/* Options of generation_config.json that are no plain numbers. */
static void others(tfgen_session *s) {
    char text[1024], plain[1024];
    run(s, "{}", plain, sizeof plain);
    run(s, "{\"do_sample\": false, \"temperature\": 1.5}", text, sizeof text);
    EXPECT(strcmp(text, plain) == 0);
    EXPECT(run(s, "{\"max_time\": 1e-9}", text, sizeof text) < strlen(plain));
    run(s, "{\"stop_strings\": \"byte\"}", text, sizeof text);
    EXPECT(text[0] == 0);
    run(s, "{\"stop_strings\": [\"zzzz\", \") (\"]}", text, sizeof text);
    EXPECT(strcmp(text, "bytes []byte") == 0);
    int32_t ids[64];
    size_t count = 0;
    run(s, "{}", text, sizeof text);
    OK(tfgen_generated_ids(s, ids, 64, &count, &status));
    char options[256];
    snprintf(options, sizeof options, "{\"sequence_bias\": [[[%d], -1000]]}", (int)ids[0]);
    run(s, options, text, sizeof text);
    EXPECT(strncmp(text, plain, 5) != 0);
    snprintf(options, sizeof options, "{\"eos_token_id\": [%d, 0]}", (int)ids[0]);
    EXPECT(run(s, options, text, sizeof text) == 0);
    int32_t length = 0;
    OK(tfgen_session_length(s, &length, NULL, &status));
    snprintf(options, sizeof options, "{\"exponential_decay_length_penalty\": [1, 1.0000001], \"forced_decoder_ids\": [[%d, 77]]}", (int)length);
    run(s, options, text, sizeof text);
    OK(tfgen_generated_ids(s, ids, 64, &count, &status));
    EXPECT(count > 0 && ids[0] == 77);
    run(s, "{\"encoder_no_repeat_ngram_size\": 1}", text, sizeof text);
    EXPECT(strcmp(text, plain) != 0);
    run(s, "{\"num_beams\": 3, \"force_words_ids\": [[500, 501]]}", text, sizeof text);
    OK(tfgen_generated_ids(s, ids, 64, &count, &status));
    int found = 0;
    for (size_t i = 0; i + 1 < count; i++) found += ids[i] == 500 && ids[i + 1] == 501;
    EXPECT(found > 0);
}

static void errors(tfgen_session *s) {
    static const char *const bad[] = {
        "{\"regex\": \"[\"}", "{\"regex\": 1}", "{\"grammar\": \"root := x\"}", "{\"json_schema\": {\"type\": \"nonsense\"}}", "{\"json\": false}",
        "{\"choices\": []}", "{\"regex\": \"a\", \"json\": true}", "{\"num_beams\": 2, \"json\": true}", "{\"logprobs\": \"x\"}", "{\"penalty_alpha\": 2}",
    };
    tfgen_generate_params p = tfgen_generate_default_params();
    p.max_tokens = 2;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        p.options = bad[i];
        CODE(TFGEN_ERROR_ARGUMENT, tfgen_generate(s, prompt, TFGEN_ZERO_TERMINATED, &p, NULL, &status));
    }
}

static void probabilities(tfgen_session *s) {
    char text[1024];
    float odds[64], top[192];
    int32_t ids[64], best[192];
    size_t count = 0, tokens = 0;
    run(s, "{\"logprobs\": 3}", text, sizeof text);
    OK(tfgen_generated_ids(s, ids, 64, &tokens, &status));
    OK(tfgen_generated_logprobs(s, odds, 64, &count, &status));
    EXPECT(count == tokens && tokens > 0);
    OK(tfgen_generated_top_logprobs(s, best, top, 192, &count, &status));
    EXPECT(count == 3 * tokens);
    for (size_t i = 0; i < tokens; i++) {
        EXPECT(odds[i] <= 0 && best[3 * i] == ids[i] && top[3 * i] == odds[i]); /* greedy takes the most probable one */
        EXPECT(top[3 * i] >= top[3 * i + 1] && top[3 * i + 1] >= top[3 * i + 2]);
    }
    tfgen_stream *stream = NULL;
    tfgen_generate_params p = tfgen_generate_default_params();
    const char *piece = NULL;
    double logprob = 1;
    int32_t token = 0, done = 0;
    size_t length = 0;
    p.max_tokens = 3;
    p.temperature = 0;
    p.options = "{\"logprobs\": true}";
    OK(tfgen_session_reset(s, &status));
    OK(tfgen_stream_open(s, prompt, TFGEN_ZERO_TERMINATED, NULL, 0, &p, &stream, &status));
    for (int i = 0; tfgen_stream_next(stream, &piece, &length, &token, &done, NULL, &status) == TFGEN_OK && !done;) {
        OK(tfgen_stream_logprobs(stream, &logprob, NULL, NULL, 0, &count, &status));
        if (token >= 0) EXPECT((float)logprob == odds[i++] && count == 0);
    }
    OK(tfgen_stream_close(stream, &status));
    run(s, NULL, text, sizeof text);
    OK(tfgen_generated_logprobs(s, odds, 64, &count, &status));
    EXPECT(count == 0);
}

static void searches(tfgen_model *model, tfgen_session *s) {
    tfgen_sequences *found = NULL;
    tfgen_sequence_info info = {.struct_size = sizeof info};
    tfgen_generate_params p = tfgen_generate_default_params();
    char text[1024], best[1024];
    size_t count = 0, length = 0;
    double last = INFINITY;
    p.max_tokens = 24;
    p.temperature = 0;
    p.options = "{\"num_beams\": 3, \"num_return_sequences\": 3}";
    OK(tfgen_search(model, prompt, TFGEN_ZERO_TERMINATED, NULL, 0, &p, &found, &status));
    OK(tfgen_sequences_count(found, &count, &status));
    EXPECT(count == 3);
    for (size_t i = 0; i < count; i++) {
        OK(tfgen_sequence_get_info(found, i, &info, &status));
        EXPECT(info.score <= last && info.logprob <= info.score);
        last = info.score;
    }
    OK(tfgen_sequence_text(found, 0, text, sizeof text - 1, &length, &status));
    text[length] = 0;
    OK(tfgen_sequences_close(found, &status));
    run(s, "{\"num_beams\": 3}", best, sizeof best);
    EXPECT(strcmp(text, best) == 0);
    run(s, "{\"penalty_alpha\": 0.6, \"top_k\": 4}", best, sizeof best);
    EXPECT(best[0] != 0);
    OK(tfgen_decode(s, 1, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_generate(s, prompt, TFGEN_ZERO_TERMINATED, &p, NULL, &status)); /* it is not empty */
    CODE(TFGEN_ERROR_UNSUPPORTED, tfgen_encode(s, (const int32_t[]){1}, 1, NULL, NULL, &status));
}

int main(int argc, char **argv) {
    tfgen_model *model = NULL;
    tfgen_session *session = NULL;
    if (argc != 2) return 2;
    OK(tfgen_init(TFGEN_ABI_VERSION, &status));
    OK(tfgen_model_open(argv[1], NULL, &model, &status));
    OK(tfgen_session_open(model, NULL, &session, &status));
    grammars(session);
    guesses(session);
    others(session);
    errors(session);
    probabilities(session);
    searches(model, session);
    OK(tfgen_session_close(session, &status));
    OK(tfgen_model_close(model, &status));
    if (failures == 0) printf("ok\n");
    return failures != 0;
}
