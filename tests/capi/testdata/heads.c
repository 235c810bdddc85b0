/* Uses the function of a head: heads WEIGHTS tag|answer|fill. The model is a small BERT with generated weights. */
#include "test.h"

static const char text[] = "a b c d a b";

static void tag(tfgen_model *model) {
    tfgen_part parts[8], again[8];
    size_t count = 0, n = 0;
    OK(tfgen_tag(model, text, TFGEN_ZERO_TERMINATED, NULL, NULL, NULL, 0, &count, &status));
    EXPECT(count > 0 && count <= 6);
    OK(tfgen_tag(model, text, TFGEN_ZERO_TERMINATED, NULL, NULL, parts, 8, &n, &status));
    EXPECT(n == count);
    for (size_t i = 0; i < n; i++) {
        EXPECT(parts[i].begin < parts[i].end && parts[i].end <= sizeof text - 1 && parts[i].score > 0 && parts[i].score <= 1);
        EXPECT(strcmp(parts[i].label, "bad") == 0 || strcmp(parts[i].label, "fair") == 0 || strcmp(parts[i].label, "good") == 0);
        EXPECT(i == 0 || parts[i - 1].end <= parts[i].begin);
    }
    CODE(TFGEN_ERROR_BUFFER, tfgen_tag(model, text, TFGEN_ZERO_TERMINATED, NULL, NULL, again, 0, &n, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_tag(model, NULL, 3, NULL, NULL, again, 8, &n, &status));
    CODE(TFGEN_ERROR_UNSUPPORTED, tfgen_fill_mask(model, text, 3, 1, NULL, NULL, NULL, NULL, 0, &n, &status));
}

static void answer(tfgen_model *model) {
    tfgen_part parts[4];
    size_t count = 0;
    OK(tfgen_answer(model, "c d", TFGEN_ZERO_TERMINATED, text, TFGEN_ZERO_TERMINATED, 3, NULL, NULL, parts, 4, &count, &status));
    EXPECT(count == 3);
    for (size_t i = 0; i < count; i++) EXPECT(parts[i].begin < parts[i].end && parts[i].end <= sizeof text - 1 && (i == 0 || parts[i].score <= parts[i - 1].score));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_answer(model, "c", 1, text, 3, 0, NULL, NULL, parts, 4, &count, &status));
    CODE(TFGEN_ERROR_UNSUPPORTED, tfgen_tag(model, text, 3, NULL, NULL, NULL, 0, &count, &status));
}

static void fill(tfgen_model *model) {
    int32_t ids[8];
    float scores[8];
    size_t count = 0;
    OK(tfgen_fill_mask(model, "a [MASK] b [MASK]", TFGEN_ZERO_TERMINATED, 4, NULL, NULL, ids, scores, 8, &count, &status));
    EXPECT(count == 8);
    for (int i = 0; i < 8; i++) EXPECT(ids[i] >= 0 && ids[i] < 10 && scores[i] > 0 && (i % 4 == 0 || scores[i] <= scores[i - 1]));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_fill_mask(model, "a b", TFGEN_ZERO_TERMINATED, 4, NULL, NULL, ids, scores, 8, &count, &status));
    CODE(TFGEN_ERROR_ARGUMENT, tfgen_fill_mask(model, "a [MASK]", TFGEN_ZERO_TERMINATED, 11, NULL, NULL, ids, scores, 8, &count, &status));
    CODE(TFGEN_ERROR_UNSUPPORTED, tfgen_answer(model, "c", 1, text, 3, 1, NULL, NULL, NULL, 0, &count, &status));
}

/* What a mistaken caller gives to any head: each call ends with a status. */
static int32_t yes(void *user) {
    ++*(int *)user;
    return 1;
}

static void mistakes(tfgen_model *model, tfgen_model *closed, const char *head) {
    static const char broken[] = "a \xff\xfe b \xe2\x82 [MASK] c\xf0\x9f";
    const size_t huge = (size_t)1 << 62, sizes[] = {huge, (size_t)-2};
    tfgen_part parts[64];
    int32_t ids[640];
    float scores[640];
    size_t n = 0;
    int asked = 0;
    tfgen_code code;
    if (strcmp(head, "tag") == 0) {
        OK(tfgen_tag(model, broken, sizeof broken - 1, NULL, NULL, parts, 64, &n, &status));
        for (size_t i = 0; i < n; i++) EXPECT(parts[i].begin < parts[i].end && parts[i].end < sizeof broken);
        for (int i = 0; i < 2; i++) CODE(TFGEN_ERROR_ARGUMENT, tfgen_tag(model, text, sizes[i], NULL, NULL, parts, 64, &n, &status));
        CODE(TFGEN_ERROR_ARGUMENT, tfgen_tag(model, text, 3, NULL, NULL, NULL, 0, NULL, &status));
        CODE(TFGEN_ERROR_HANDLE, tfgen_tag(closed, text, 3, NULL, NULL, parts, 64, &n, &status));
        code = tfgen_tag(model, text, 3, yes, &asked, parts, 64, &n, &status);
    } else if (strcmp(head, "answer") == 0) {
        OK(tfgen_answer(model, broken, sizeof broken - 1, broken, sizeof broken - 1, 64, NULL, NULL, parts, 64, &n, &status));
        for (size_t i = 0; i < n; i++) EXPECT(parts[i].begin < parts[i].end && parts[i].end < sizeof broken);
        for (int i = 0; i < 2; i++) {
            CODE(TFGEN_ERROR_ARGUMENT, tfgen_answer(model, "c", sizes[i], text, 3, 1, NULL, NULL, parts, 64, &n, &status));
            CODE(TFGEN_ERROR_ARGUMENT, tfgen_answer(model, "c", 1, text, sizes[i], 1, NULL, NULL, parts, 64, &n, &status));
            CODE(TFGEN_ERROR_ARGUMENT, tfgen_answer(model, "c", 1, text, 3, sizes[i], NULL, NULL, parts, 64, &n, &status));
        }
        CODE(TFGEN_ERROR_ARGUMENT, tfgen_answer(model, NULL, 1, text, 3, 1, NULL, NULL, parts, 64, &n, &status));
        CODE(TFGEN_ERROR_HANDLE, tfgen_answer(closed, "c", 1, text, 3, 1, NULL, NULL, parts, 64, &n, &status));
        code = tfgen_answer(model, "c", 1, text, 3, 1, yes, &asked, parts, 64, &n, &status);
    } else {
        OK(tfgen_fill_mask(model, broken, sizeof broken - 1, 10, NULL, NULL, ids, scores, 640, &n, &status));
        for (int i = 0; i < 2; i++) {
            CODE(TFGEN_ERROR_ARGUMENT, tfgen_fill_mask(model, "[MASK]", sizes[i], 1, NULL, NULL, ids, scores, 640, &n, &status));
            CODE(TFGEN_ERROR_ARGUMENT, tfgen_fill_mask(model, "[MASK]", 6, sizes[i], NULL, NULL, ids, scores, 640, &n, &status));
        }
        CODE(TFGEN_ERROR_ARGUMENT, tfgen_fill_mask(model, "[MASK]", 6, (size_t)-1, NULL, NULL, ids, scores, 640, &n, &status));
        CODE(TFGEN_ERROR_BUFFER, tfgen_fill_mask(model, "[MASK]", 6, 2, NULL, NULL, ids, scores, 1, &n, &status));
        CODE(TFGEN_ERROR_HANDLE, tfgen_fill_mask(closed, "[MASK]", 6, 1, NULL, NULL, ids, scores, 640, &n, &status));
        code = tfgen_fill_mask(model, "[MASK]", 6, 1, yes, &asked, ids, scores, 640, &n, &status);
    }
    EXPECT(code == TFGEN_ERROR_ABORTED && asked > 0);
}

int main(int argc, char **argv) {
    tfgen_model *model = NULL, *closed = NULL;
    tfgen_info info = {.struct_size = sizeof info};
    if (argc != 3) return 2;
    OK(tfgen_init(TFGEN_ABI_VERSION, &status));
    OK(tfgen_model_open(argv[1], NULL, &closed, &status));
    OK(tfgen_model_open(argv[1], NULL, &model, &status));
    OK(tfgen_model_close(closed, &status));
    OK(tfgen_get_info(&info, &status));
    if (strcmp(argv[2], "tag") == 0) {
        EXPECT((info.features & TFGEN_CAN_TAG) != 0);
        tag(model);
    } else if (strcmp(argv[2], "answer") == 0) {
        EXPECT((info.features & TFGEN_CAN_ANSWER) != 0);
        answer(model);
    } else {
        EXPECT((info.features & TFGEN_CAN_FILL) != 0);
        fill(model);
    }
    mistakes(model, closed, argv[2]);
    OK(tfgen_model_close(model, &status));
    if (failures == 0) printf("ok\n");
    return failures != 0;
}
