/* What the test programs share: EXPECT checks a condition, CODE a call's code and that its message is there. */
#ifndef TEST_H
#define TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tfgen.h>

static tfgen_status status;
static int failures;

#define EXPECT(condition)                                                                                             \
    do {                                                                                                              \
        if (!(condition)) {                                                                                           \
            failures++;                                                                                               \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);                                                    \
        }                                                                                                             \
    } while (0)

#define CODE(want, call)                                                                                              \
    do {                                                                                                              \
        tfgen_code got = (call);                                                                                      \
        if (got != (want) || status.code != got || (got == TFGEN_OK) != (status.message[0] == 0)) {                   \
            failures++;                                                                                               \
            printf("%s:%d: %s: code %d, status %d \"%s\"\n", __FILE__, __LINE__, #call, (int)got, (int)status.code, status.message); \
        }                                                                                                             \
    } while (0)

#define OK(call) CODE(TFGEN_OK, call)

#endif
