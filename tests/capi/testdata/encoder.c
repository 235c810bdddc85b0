/* Uses the functions of an encoder with three classes and a tokenizer: encoder WEIGHTS. */
#include <math.h>

#include "test.h"

int main(int argc, char **argv) {
    tfgen_model *model = NULL;
    tfgen_session *session = NULL;
    tfgen_info info;
    const char *texts[] = {"a b c", "d", "a a a a"}, *pairs[] = {"b", "c d", "a"};
    size_t lengths[] = {1, 1, 4}, size = 0, length = 0;
    float three[9], one[3], two[9];
    char label[32];
    if (argc != 2) return 2;
    OK(tfgen_init(TFGEN_ABI_VERSION, &status));
    OK(tfgen_model_open(argv[1], NULL, &model, &status));
    info.struct_size = sizeof info;
    OK(tfgen_get_info(&info, &status));
    EXPECT(info.features == (TFGEN_CAN_CLASSIFY | TFGEN_CAN_TOKENIZE | TFGEN_CAN_RUN));
    EXPECT(info.labels == 3 && info.max_batch == 0 && info.max_tokens == 40);
    EXPECT(strstr(info.outputs, "logits") != NULL);
    OK(tfgen_label(2, label, sizeof label, &length, &status));
    EXPECT(length == 4 && memcmp(label, "good", 4) == 0);
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_label(3, label, sizeof label, &length, &status));

    /* A batch gives what each text gives alone, and lengths are respected. */
    OK(tfgen_classify(model, texts, NULL, NULL, NULL, 3, NULL, NULL, NULL, 0, &size, &status));
    EXPECT(size == 9);
    CODE(TFGEN_ERROR_BUFFER, tfgen_classify(model, texts, NULL, NULL, NULL, 3, NULL, NULL, three, 8, &size, &status));
    OK(tfgen_classify(model, texts, NULL, NULL, NULL, 3, NULL, NULL, three, 9, &size, &status));
    for (int i = 0; i < 3; i++) {
        OK(tfgen_classify(model, texts + i, NULL, NULL, NULL, 1, NULL, NULL, one, 3, &size, &status));
        EXPECT(memcmp(one, three + 3 * i, sizeof one) == 0);
        EXPECT(isfinite(one[0]) && one[0] != one[1]);
    }
    OK(tfgen_classify(model, texts, lengths, NULL, NULL, 3, NULL, NULL, two, 9, &size, &status));
    EXPECT(memcmp(two, three, 3 * sizeof *two) != 0 && memcmp(two + 3, three + 3, 3 * sizeof *two) == 0);

    /* Probabilities of classes of which one holds add up to one; a model with several classes ranks nothing. */
    OK(tfgen_class_scores(model, texts, NULL, NULL, NULL, 3, NULL, NULL, two, 9, &size, &status));
    for (int i = 0; i < 3; i++) {
        EXPECT(fabs((double)two[3 * i] + two[3 * i + 1] + two[3 * i + 2] - 1) < 1e-6);
        EXPECT(fabs(two[3 * i] - exp(three[3 * i]) / (exp(three[3 * i]) + exp(three[3 * i + 1]) + exp(three[3 * i + 2]))) < 1e-6);
    }
    size_t order[3];
    CODE(TFGEN_ERROR_UNSUPPORTED, tfgen_rank(model, "a", 1, texts, NULL, 3, NULL, NULL, order, NULL, 3, &size, &status));
    CODE(TFGEN_ERROR_HANDLE, tfgen_rank(NULL, "a", 1, texts, NULL, 3, NULL, NULL, order, NULL, 3, &size, &status));

    /* Pairs are what their ids with token types are. */
    OK(tfgen_classify(model, texts, NULL, pairs, NULL, 3, NULL, NULL, two, 9, &size, &status));
    int32_t ids[] = {2, 5, 6, 7, 3, 6, 3}, types[] = {0, 0, 0, 0, 0, 1, 1}; /* [CLS] a b c [SEP] b [SEP] */
    size_t seven = 7;
    OK(tfgen_run(model, ids, types, &seven, 1, "logits", NULL, NULL, NULL, 0, &size, &status));
    EXPECT(size == 3);
    OK(tfgen_run(model, ids, types, &seven, 1, "logits", NULL, NULL, one, 3, &size, &status));
    EXPECT(memcmp(one, two, sizeof one) == 0);

    /* A long text is cut, also the longer one of a pair. */
    static char words[400];
    for (int i = 0; i < 100; i++) memcpy(words + 2 * i, "a ", 2);
    const char *many[] = {words};
    OK(tfgen_classify(model, many, NULL, NULL, NULL, 1, NULL, NULL, one, 3, &size, &status));
    OK(tfgen_classify(model, many, NULL, pairs, NULL, 1, NULL, NULL, one, 3, &size, &status));

    CODE(TFGEN_ERROR_ARGUMENT, tfgen_classify(model, NULL, NULL, NULL, NULL, 1, NULL, NULL, one, 3, &size, &status));
    texts[1] = NULL;
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_classify(model, texts, NULL, NULL, NULL, 3, NULL, NULL, three, 9, &size, &status));
    OK(tfgen_classify(model, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, 0, &size, &status));
    EXPECT(size == 0);
    CODE(TFGEN_ERROR_UNSUPPORTED, tfgen_embed(model, many, NULL, 1, NULL, NULL, one, 3, &size, &status));
    CODE(TFGEN_ERROR_UNSUPPORTED, tfgen_run(model, ids, types, &seven, 1, "nonsense", NULL, NULL, one, 3, &size, &status));
    CODE(TFGEN_ERROR_UNSUPPORTED, tfgen_session_open(model, NULL, &session, &status));
    ids[1] = 1000;
    CODE(TFGEN_ERROR_TOKEN, tfgen_run(model, ids, types, &seven, 1, "logits", NULL, NULL, one, 3, &size, &status));
    seven = 0;
    CODE(TFGEN_ERROR_CONTEXT, tfgen_run(model, ids, types, &seven, 1, "logits", NULL, NULL, one, 3, &size, &status));
    seven = 41;
    CODE(TFGEN_ERROR_CONTEXT, tfgen_run(model, ids, types, &seven, 1, "logits", NULL, NULL, one, 3, &size, &status));
    OK(tfgen_model_close(model, &status));
    if (failures == 0) printf("ok\n");
    return failures != 0;
}
