/* The driver of `tfgen parity` for C: WEIGHTS ANSWER GREEDY IDS SOURCE NAME… writes what the model remembers under each name, then
 * the greedy continuation and its time, or the time of a run of an encoder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tfgen.h>
#include <time.h>

static tfgen_status status;

static void check(tfgen_code code) {
    if (code != TFGEN_OK) {
        fprintf(stderr, "%s: %s\n", tfgen_code_name(code), status.message);
        exit(1);
    }
}

static double now(void) {
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int32_t next(tfgen_session *s) {
    const float *logits;
    size_t n, best = 0;
    check(tfgen_logits(s, &logits, &n, &status));
    for (size_t i = 1; i < n; i++)
        if (logits[i] > logits[best]) best = i;
    return (int32_t)best;
}

static void write_all(FILE *f, const void *data, size_t size, uint64_t count) {
    fwrite(&count, sizeof count, 1, f);
    fwrite(data, size, (size_t)count, f);
}

static size_t numbers(char *list, int32_t *ids) {
    size_t count = 0;
    for (char *p = strtok(list, ","); p != NULL && count < 4096; p = strtok(NULL, ",")) ids[count++] = atoi(p);
    return count;
}

int main(int argc, char **argv) {
    if (argc < 6) return 2;
    tfgen_model *model;
    check(tfgen_init(TFGEN_ABI_VERSION, &status));
    check(tfgen_model_open(argv[1], NULL, &model, &status));
    FILE *out = fopen(argv[2], "wb");
    static int32_t ids[4096], source[4096];
    size_t greedy = strtoul(argv[3], NULL, 10), count = numbers(argv[4], ids), sources = numbers(argv[5], source), size = 0;
    if (out == NULL) return 1;
    float *values = NULL;
    for (int i = 6; i < argc; i++) {
        check(tfgen_trace_encoded(model, source, sources, ids, count, argv[i], NULL, 0, &size, &status));
        values = realloc(values, (size + 1) * sizeof *values);
        check(tfgen_trace_encoded(model, source, sources, ids, count, argv[i], values, size, &size, &status));
        write_all(out, values, sizeof *values, size);
    }
    double begin = now();
    if (greedy > 0) {
        tfgen_session *s;
        int32_t *tokens = malloc(greedy * sizeof *tokens);
        check(tfgen_session_open(model, NULL, &s, &status));
        if (sources > 0) check(tfgen_encode(s, source, sources, NULL, NULL, &status));
        check(tfgen_prefill(s, ids, count, NULL, NULL, &status));
        begin = now();
        for (size_t i = 0; i < greedy; i++) {
            tokens[i] = next(s);
            check(tfgen_decode(s, tokens[i], &status));
        }
        double seconds = now() - begin;
        write_all(out, tokens, sizeof *tokens, greedy);
        fwrite(&seconds, sizeof seconds, 1, out);
    } else {
        tfgen_info info;
        char first[64];
        info.struct_size = sizeof info;
        check(tfgen_get_info(&info, &status));
        snprintf(first, sizeof first, "%.*s", (int)strcspn(info.outputs, ","), info.outputs);
        check(tfgen_run(model, ids, NULL, &count, 1, first, NULL, NULL, NULL, 0, &size, &status));
        values = realloc(values, (size + 1) * sizeof *values);
        begin = now();
        check(tfgen_run(model, ids, NULL, &count, 1, first, NULL, NULL, values, size, &size, &status));
        double seconds = now() - begin;
        write_all(out, values, sizeof *values, 0);
        fwrite(&seconds, sizeof seconds, 1, out);
    }
    return fclose(out) != 0;
}
