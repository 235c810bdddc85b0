// The interface from C++17, with handles that close themselves: cxx WEIGHTS.
#include <cstring>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <tfgen.h>

static tfgen_status status;

static void check(tfgen_code code) {
    if (code != TFGEN_OK) throw std::runtime_error(std::string(tfgen_code_name(code)) + ": " + status.message);
}

struct closer {
    void operator()(tfgen_model *m) const { tfgen_model_close(m, nullptr); }
    void operator()(tfgen_session *s) const { tfgen_session_close(s, nullptr); }
};

int main(int argc, char **argv) try {
    if (argc != 2) return 2;
    check(tfgen_init(TFGEN_ABI_VERSION, &status));

    tfgen_model *m = nullptr;
    check(tfgen_model_open(argv[1], nullptr, &m, &status));
    std::unique_ptr<tfgen_model, closer> model(m);
    tfgen_session *s = nullptr;
    check(tfgen_session_open(m, nullptr, &s, &status));
    std::unique_ptr<tfgen_session, closer> session(s);

    const std::string prompt = "func (r *Reader) Read(";
    std::size_t count = 0;
    check(tfgen_tokenize(m, prompt.data(), prompt.size(), TFGEN_ADD_SPECIAL, nullptr, 0, &count, &status));
    std::vector<int32_t> ids(count);
    check(tfgen_tokenize(m, prompt.data(), prompt.size(), TFGEN_ADD_SPECIAL, ids.data(), ids.size(), &count, &status));

    std::string text;
    tfgen_generate_params params = tfgen_generate_default_params();
    params.max_tokens = 20;
    params.temperature = 0;
    params.on_text_user = &text;
    params.on_text = [](void *user, const char *piece, std::size_t length, int32_t) -> int32_t {
        static_cast<std::string *>(user)->append(piece, length);
        return 0;
    };
    check(tfgen_generate_ids(s, ids.data(), ids.size(), &params, nullptr, &status));
    if (text.rfind("bytes []byte) (n int, err error)", 0) != 0) {
        std::cout << "the text is " << text << "\n";
        return 1;
    }
    try {
        check(tfgen_decode(s, -1, &status));
        return 1;
    } catch (const std::runtime_error &e) {
        if (std::strstr(e.what(), "TFGEN_ERROR_TOKEN") == nullptr) return 1;
    }
    std::cout << "ok\n";
    return 0;
} catch (const std::exception &e) {
    std::cout << e.what() << "\n";
    return 1;
}
