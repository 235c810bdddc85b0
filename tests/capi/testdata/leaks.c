/* The short program for valgrind, which is slow: leaks WEIGHTS. */
#include "test.h"

int main(int argc, char **argv) {
    tfgen_model *model = NULL;
    tfgen_session *session = NULL;
    tfgen_stream *stream = NULL;
    const char *piece = NULL;
    char text[256];
    size_t length = 0;
    int32_t token = 0, done = 0;
    tfgen_model_params threads = tfgen_model_default_params();
    tfgen_generate_params p = tfgen_generate_default_params();
    if (argc != 2) return 2;
    threads.threads = 1;
    p.max_tokens = 3;
    OK(tfgen_init(TFGEN_ABI_VERSION, &status));
    OK(tfgen_model_open(argv[1], &threads, &model, &status));
    OK(tfgen_session_open(model, NULL, &session, &status));
    OK(tfgen_generate(session, "func main", TFGEN_ZERO_TERMINATED, &p, NULL, &status));
    OK(tfgen_generated_text(session, text, sizeof text, &length, &status));
    EXPECT(length > 0 && length < sizeof text);
    OK(tfgen_stream_open(session, "() {", TFGEN_ZERO_TERMINATED, NULL, 0, &p, &stream, &status));
    while (tfgen_stream_next(stream, &piece, &length, &token, &done, NULL, &status) == TFGEN_OK && !done) {
        memcpy(text, piece, length); /* valgrind checks that it may be read */
    }
    OK(tfgen_stream_close(stream, &status));
    CODE(TFGEN_ERROR_TOKEN, tfgen_decode(session, -1, &status));
    OK(tfgen_session_close(session, &status));
    OK(tfgen_model_close(model, &status));
    if (failures == 0) printf("ok\n");
    return failures != 0;
}
