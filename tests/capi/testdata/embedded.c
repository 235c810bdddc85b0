/* Opens weights that are compiled in: embedded. */
#include "test.h"

int main(void) {
    tfgen_model *model = NULL;
    tfgen_session *session = NULL;
    int32_t ids[] = {1, 2, 3};
    OK(tfgen_init(TFGEN_ABI_VERSION, &status));
    OK(tfgen_model_open(NULL, NULL, &model, &status));
    OK(tfgen_model_verify(model, NULL, NULL, &status));
    OK(tfgen_session_open(model, NULL, &session, &status));
    OK(tfgen_prefill(session, ids, 3, NULL, NULL, &status));
    OK(tfgen_session_close(session, &status));
    OK(tfgen_model_close(model, &status));
    if (failures == 0) printf("ok\n");
    return failures != 0;
}
