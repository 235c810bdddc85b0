/* Uses a decoder's library that has a defect in its first layer: panic WEIGHTS. Every pass is a status, and nothing is written. */
#include "test.h"

int main(int argc, char **argv) {
    tfgen_model *model = NULL;
    tfgen_session *session = NULL;
    tfgen_stream *stream = NULL;
    tfgen_sequences *found = NULL;
    const char *text = NULL;
    size_t length = 0;
    int32_t token = 0, done = 0, id = 1;
    if (argc != 2) return 2;
    OK(tfgen_init(TFGEN_ABI_VERSION, &status));
    OK(tfgen_model_open(argv[1], NULL, &model, &status));
    OK(tfgen_session_open(model, NULL, &session, &status));
    for (int i = 0; i < 3; i++) {
        CODE(TFGEN_ERROR_INTERNAL, tfgen_decode(session, 1, &status));
        EXPECT(strstr(status.message, "defect") != NULL);
        CODE(TFGEN_ERROR_INTERNAL, tfgen_prefill(session, &id, 1, NULL, NULL, &status));
        CODE(TFGEN_ERROR_INTERNAL, tfgen_decode_batch(&session, &id, 1, &status));
        CODE(TFGEN_ERROR_INTERNAL, tfgen_generate(session, "text", TFGEN_ZERO_TERMINATED, NULL, NULL, &status));
        CODE(TFGEN_ERROR_INTERNAL, tfgen_search(model, "text", TFGEN_ZERO_TERMINATED, NULL, 0, NULL, &found, &status));
        OK(tfgen_stream_open(session, "text", TFGEN_ZERO_TERMINATED, NULL, 0, NULL, &stream, &status));
        CODE(TFGEN_ERROR_INTERNAL, tfgen_stream_next(stream, &text, &length, &token, &done, NULL, &status));
        OK(tfgen_stream_close(stream, &status));
    }
    OK(tfgen_tokenize(model, "text", TFGEN_ZERO_TERMINATED, 0, NULL, 0, &length, &status)); /* the rest works */
    OK(tfgen_session_close(session, &status));
    OK(tfgen_model_close(model, &status));
    if (failures == 0) printf("ok\n");
    return failures != 0;
}
