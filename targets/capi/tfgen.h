/*
 * tfgen.h - the C interface of models compiled by tfgen. It is the same for every model.
 *
 * Conventions
 *  - Every function that can fail returns a code, TFGEN_OK (0) on success, and fills the status object that the caller
 *    gives with code and message. The status may be NULL.
 *  - Handles are opaque and are never dereferenced by the caller or by the library: a closed, foreign or NULL handle gives
 *    TFGEN_ERROR_HANDLE. Handles are not used again after they were closed.
 *  - A model may be used by several threads at the same time; passes through it follow each other. A session or a stream
 *    belongs to one thread at a time: a call while another one runs gives TFGEN_ERROR_BUSY.
 *  - Results of variable size: the first call with a NULL buffer sets the size, the second fills. A buffer that is too
 *    small gives TFGEN_ERROR_BUFFER, sets the size and writes nothing.
 *  - Text is UTF-8 with its length in bytes; TFGEN_ZERO_TERMINATED as length means that a zero byte ends it. Text that the
 *    library writes into a buffer is not terminated.
 *  - Parameter structs come from the *_default_params() functions, which set struct_size.
 *  - The library writes to no stream, leaves signal handlers as it found them, and cannot be unloaded. A process that has
 *    called tfgen_init may fork(), but calls in the child give TFGEN_ERROR_FORKED until it calls exec().
 *  - A callback returns: it does not leave by longjmp or by an exception. It may call the library, also to close what is in use.
 *  - Several models in one program: load each library with dlopen(path, RTLD_NOW | RTLD_LOCAL).
 */
#ifndef TFGEN_H
#define TFGEN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef TFGEN_API
#define TFGEN_API __attribute__((visibility("default")))
#endif

/* The version of this header: major versions are incompatible, minor versions add. */
#define TFGEN_ABI_MAJOR 1
#define TFGEN_ABI_MINOR 1
#define TFGEN_ABI_VERSION ((uint32_t)TFGEN_ABI_MAJOR << 16 | (uint32_t)TFGEN_ABI_MINOR)

/* TFGEN_ZERO_TERMINATED as the length of a text says that a zero byte ends it. */
#define TFGEN_ZERO_TERMINATED ((size_t)-1)

/* ---- Status ---------------------------------------------------------------------------------------------------- */

enum {
    TFGEN_OK = 0,
    TFGEN_ERROR_INTERNAL = 1,        /* a defect of the library: its message is worth a report */
    TFGEN_ERROR_ARGUMENT = 2,        /* a NULL, negative or contradictory argument */
    TFGEN_ERROR_HANDLE = 3,          /* no such handle, or it was closed */
    TFGEN_ERROR_VERSION = 4,         /* the program was compiled for another version of this interface */
    TFGEN_ERROR_NOT_INITIALIZED = 5, /* tfgen_init has not been called */
    TFGEN_ERROR_UNSUPPORTED = 6,     /* this model cannot do that */
    TFGEN_ERROR_FILE = 7,            /* the weights file cannot be read */
    TFGEN_ERROR_WEIGHTS = 8,         /* the weights file is not the one of this model, or it is damaged */
    TFGEN_ERROR_MEMORY = 9,          /* there is not enough memory */
    TFGEN_ERROR_BUFFER = 10,         /* the buffer is too small; the size that is needed was set */
    TFGEN_ERROR_TOKEN = 11,          /* a token id outside the vocabulary */
    TFGEN_ERROR_CONTEXT = 12,        /* the tokens do not fit the session's context */
    TFGEN_ERROR_BUSY = 13,           /* another thread is using the session or stream */
    TFGEN_ERROR_CLOSED = 14,         /* the session's model was closed */
    TFGEN_ERROR_ABORTED = 15,        /* ended by the abort callback or by tfgen_session_cancel */
    TFGEN_ERROR_CALLBACK = 16,       /* the stream callback asked to end with an error */
    TFGEN_ERROR_TEMPLATE = 17,       /* the chat template refuses the messages */
    TFGEN_ERROR_PROCESSOR = 18,      /* this processor lacks an instruction set that TFGEN_CPU asks for */
    TFGEN_ERROR_FORKED = 19          /* called in a child of fork() */
};

typedef int32_t tfgen_code;

#define TFGEN_MESSAGE_SIZE 1020

/* tfgen_status says what happened. The caller owns it; any memory will do, it needs no initialisation. */
typedef struct tfgen_status {
    tfgen_code code;
    char message[TFGEN_MESSAGE_SIZE]; /* UTF-8, zero-terminated; empty if code is TFGEN_OK */
} tfgen_status;

/* tfgen_code_name returns a code's name, such as "TFGEN_ERROR_TOKEN". The text lives for ever. */
TFGEN_API const char *tfgen_code_name(tfgen_code code);

/* ---- Library --------------------------------------------------------------------------------------------------- */

/* tfgen_init prepares the library and checks that it serves programs compiled with this header. Call it once, with
 * TFGEN_ABI_VERSION, before anything else; calling it again does nothing. The library reserves some 2 GB of addresses, few of
 * which it uses: TFGEN_ERROR_MEMORY if the limit of the process (ulimit -v) does not leave them. */
TFGEN_API tfgen_code tfgen_init(uint32_t abi_version, tfgen_status *status);

/* tfgen_abi_version returns the version of the interface that the library has. It works before tfgen_init. */
TFGEN_API uint32_t tfgen_abi_version(void);

/* Features of a model. */
enum {
    TFGEN_CAN_GENERATE = 1, /* sessions: prefill, decode, generate */
    TFGEN_CAN_EMBED = 2,    /* tfgen_embed */
    TFGEN_CAN_CLASSIFY = 4, /* tfgen_classify, tfgen_class_scores */
    TFGEN_CAN_TOKENIZE = 8, /* it has a tokenizer: all functions that take or give text */
    TFGEN_CAN_CHAT = 16,    /* it has a chat template */
    TFGEN_CAN_RUN = 32,     /* an encoder: tfgen_run */
    TFGEN_CAN_TRACE = 64,   /* built with --trace: tfgen_trace */
    TFGEN_CAN_ENCODE = 128, /* an encoder-decoder: sessions read a source with tfgen_encode; prompts are sources */
    TFGEN_CAN_TAG = 256,    /* tfgen_tag */
    TFGEN_CAN_ANSWER = 512, /* tfgen_answer */
    TFGEN_CAN_FILL = 1024,  /* tfgen_fill_mask */
    TFGEN_CAN_RANK = 2048   /* tfgen_rank */
};

/* tfgen_info describes the model that is compiled into the library. The texts live for ever. */
typedef struct tfgen_info {
    size_t struct_size;
    const char *name;          /* of the package, e.g. "gemma270m" */
    const char *title;         /* for people */
    const char *architecture;  /* e.g. "gemma3" */
    const char *weight_format; /* e.g. "bf16" */
    const char *weights_file;  /* the name that the build gave the weights file */
    const char *outputs;       /* of tfgen_run: names separated by commas; "" for decoders */
    int64_t parameters;
    int64_t weights_bytes; /* size of the weights file */
    uint32_t features;     /* TFGEN_CAN_… */
    int32_t layers;
    int32_t width;
    int32_t vocabulary;
    int32_t max_context;    /* longest sequence in tokens */
    int32_t max_batch;      /* sessions in tfgen_decode_batch; 0 for encoders */
    int32_t max_tokens;     /* tokens of a text that tfgen_embed and tfgen_classify use; 0 for decoders */
    int32_t embedding_size; /* elements of a vector of tfgen_embed */
    int32_t labels;         /* classes of tfgen_classify */
} tfgen_info;

/* tfgen_get_info fills info; its struct_size must be sizeof(tfgen_info). */
TFGEN_API tfgen_code tfgen_get_info(tfgen_info *info, tfgen_status *status);

/* tfgen_memory is what a model takes, in bytes. All figures are exact and known before anything is loaded. */
typedef struct tfgen_memory {
    size_t struct_size;
    int64_t weights;     /* the file, mapped and shared by all processes */
    int64_t activations; /* one block for the whole model */
    int64_t worker;      /* scratch of one thread */
    int64_t session;     /* keys, values and logits of one session; 0 for encoders */
    int64_t total;       /* weights + activations + threads × worker + sessions × session */
} tfgen_memory;

/* tfgen_get_memory tells the memory of an open model with the given threads (0: one a processor) and sessions of the
 * given context (0: the longest). memory's struct_size must be sizeof(tfgen_memory). */
TFGEN_API tfgen_code tfgen_get_memory(int32_t threads, int32_t sessions, int32_t context, tfgen_memory *memory, tfgen_status *status);

/* tfgen_label gives the name of class i of tfgen_classify, in a buffer. */
TFGEN_API tfgen_code tfgen_label(int32_t i, char *text, size_t capacity, size_t *length, tfgen_status *status);

/* tfgen_abort_callback is asked between the passes of a long call whether it should end: any value but 0 ends it with
 * TFGEN_ERROR_ABORTED. It is called on the thread of the call. */
typedef int32_t (*tfgen_abort_callback)(void *user);

/* ---- Model ----------------------------------------------------------------------------------------------------- */

typedef struct tfgen_model tfgen_model;

typedef struct tfgen_model_params {
    size_t struct_size;
    int32_t threads; /* workers; 0 is one a processor */
    int32_t verify;  /* not 0: read all weights and compare their digests; files up to 64 MiB are always verified */
} tfgen_model_params;

TFGEN_API tfgen_model_params tfgen_model_default_params(void);

/* tfgen_model_open maps the weights file at path, checks that it is this model's, and starts the workers. params may be
 * NULL. A path of NULL opens weights that were compiled into the library. */
TFGEN_API tfgen_code tfgen_model_open(const char *path, const tfgen_model_params *params, tfgen_model **model, tfgen_status *status);

/* tfgen_model_close waits for the pass that is running and releases weights and workers. Sessions of the model answer
 * TFGEN_ERROR_CLOSED from then on and have to be closed themselves. Closing NULL does nothing. */
TFGEN_API tfgen_code tfgen_model_close(tfgen_model *model, tfgen_status *status);

/* tfgen_model_verify reads the whole weights file and compares the digest of every tensor. abort may be NULL. */
TFGEN_API tfgen_code tfgen_model_verify(tfgen_model *model, tfgen_abort_callback abort, void *user, tfgen_status *status);

/* tfgen_model_threads gives the number of workers. */
TFGEN_API tfgen_code tfgen_model_threads(tfgen_model *model, int32_t *threads, tfgen_status *status);

/* ---- Tokenizer ------------------------------------------------------------------------------------------------- */

enum {
    TFGEN_ADD_SPECIAL = 1, /* tokenize: add the tokens that the model expects around a text */
    TFGEN_LITERAL = 2,     /* tokenize: special tokens that stand in the text are ordinary text */
    TFGEN_SKIP_SPECIAL = 4 /* detokenize: leave special tokens out */
};

/* tfgen_tokenize gives the token ids of a text. */
TFGEN_API tfgen_code tfgen_tokenize(tfgen_model *model, const char *text, size_t length, uint32_t flags, int32_t *ids, size_t capacity,
                                    size_t *count, tfgen_status *status);

/* tfgen_detokenize gives the text of token ids. */
TFGEN_API tfgen_code tfgen_detokenize(tfgen_model *model, const int32_t *ids, size_t count, uint32_t flags, char *text, size_t capacity,
                                      size_t *length, tfgen_status *status);

/* tfgen_token_text gives a token as the vocabulary writes it, and whether it is a special one (special may be NULL). */
TFGEN_API tfgen_code tfgen_token_text(tfgen_model *model, int32_t id, char *text, size_t capacity, size_t *length, int32_t *special,
                                      tfgen_status *status);

/* tfgen_token_id gives the id of a token as the vocabulary writes it, -1 if there is none. */
TFGEN_API tfgen_code tfgen_token_id(tfgen_model *model, const char *text, size_t length, int32_t *id, tfgen_status *status);

/* tfgen_end_tokens gives the ids that end generation. */
TFGEN_API tfgen_code tfgen_end_tokens(int32_t *ids, size_t capacity, size_t *count, tfgen_status *status);

/* tfgen_message is one message of a conversation; its texts are zero-terminated. */
typedef struct tfgen_message {
    const char *role; /* "system", "user", "assistant", … */
    const char *content;
} tfgen_message;

/* tfgen_chat_template writes a conversation as the prompt that the model was trained with. With add_generation_prompt the
 * prompt ends with the beginning of the assistant's answer. Tokenize it without TFGEN_ADD_SPECIAL: the template has written
 * the special tokens. */
TFGEN_API tfgen_code tfgen_chat_template(const tfgen_message *messages, size_t count, int32_t add_generation_prompt, char *text,
                                         size_t capacity, size_t *length, tfgen_status *status);

/* tfgen_chat_template_json is tfgen_chat_template for all that a template can be told, a JSON object with the names of
 * apply_chat_template in transformers: messages, tools, documents, add_generation_prompt, continue_final_message,
 * enable_thinking, chat_template (the name of one of several), variables (an object with further ones). */
TFGEN_API tfgen_code tfgen_chat_template_json(const char *request, size_t size, char *text, size_t capacity, size_t *length,
                                              tfgen_status *status);

/* ---- Sessions: decoders ---------------------------------------------------------------------------------------- */

/* tfgen_session is the state of one sequence. */
typedef struct tfgen_session tfgen_session;

typedef struct tfgen_session_params {
    size_t struct_size;
    int32_t context; /* tokens that the session holds; 0 is the model's longest sequence */
} tfgen_session_params;

TFGEN_API tfgen_session_params tfgen_session_default_params(void);

/* tfgen_session_open returns an empty session. params may be NULL. */
TFGEN_API tfgen_code tfgen_session_open(tfgen_model *model, const tfgen_session_params *params, tfgen_session **session, tfgen_status *status);

/* tfgen_session_close releases the session's memory. Closing NULL does nothing. */
TFGEN_API tfgen_code tfgen_session_close(tfgen_session *session, tfgen_status *status);

/* tfgen_session_reset empties the session. */
TFGEN_API tfgen_code tfgen_session_reset(tfgen_session *session, tfgen_status *status);

/* tfgen_session_truncate shortens the session to its first tokens, as if the others had never been given. Models whose
 * layers forget old tokens cannot always go back: TFGEN_ERROR_UNSUPPORTED, and nothing has changed. */
TFGEN_API tfgen_code tfgen_session_truncate(tfgen_session *session, int32_t length, tfgen_status *status);

/* tfgen_session_fork returns a new session equal to this one. */
TFGEN_API tfgen_code tfgen_session_fork(tfgen_session *session, tfgen_session **copy, tfgen_status *status);

/* tfgen_session_save gives the state of the session as bytes, as many as its tokens need; tfgen_session_restore replaces a
 * session by such a state, also in another process; of an encoder-decoder, its source too. What does not belong to this model or
 * does not fit is an error, after which the session is empty. */
TFGEN_API tfgen_code tfgen_session_save(tfgen_session *session, void *data, size_t capacity, size_t *size, tfgen_status *status);
TFGEN_API tfgen_code tfgen_session_restore(tfgen_session *session, const void *data, size_t size, tfgen_status *status);

/* tfgen_session_length gives the tokens that the session holds, and how many it can hold; either may be NULL. */
TFGEN_API tfgen_code tfgen_session_length(tfgen_session *session, int32_t *length, int32_t *context, tfgen_status *status);

/* tfgen_session_cancel ends the call that is running on the session with TFGEN_ERROR_ABORTED, at the next pass. It may be
 * called by any thread, also in a callback; without a running call it does nothing. */
TFGEN_API tfgen_code tfgen_session_cancel(tfgen_session *session, tfgen_status *status);

/* tfgen_encode lets a session of an encoder-decoder read a source: token ids with their special tokens, as many as
 * tfgen_info.max_context at most. It empties the session; what the session is given and generates from then on follows from
 * this source. tfgen_generate, tfgen_stream_open and tfgen_search do it themselves: their prompt is the source. abort may be
 * NULL. */
TFGEN_API tfgen_code tfgen_encode(tfgen_session *session, const int32_t *ids, size_t count, tfgen_abort_callback abort, void *user,
                                  tfgen_status *status);

/* tfgen_start_tokens gives the ids that every text of an encoder-decoder's decoder begins with; other models have none. */
TFGEN_API tfgen_code tfgen_start_tokens(int32_t *ids, size_t capacity, size_t *count, tfgen_status *status);

/* tfgen_prefill appends tokens and computes the logits behind the last one. abort may be NULL. When it ends early, the
 * tokens of the passes that were done stay: tfgen_session_length tells how many. */
TFGEN_API tfgen_code tfgen_prefill(tfgen_session *session, const int32_t *ids, size_t count, tfgen_abort_callback abort, void *user,
                                   tfgen_status *status);

/* tfgen_decode appends one token and computes the logits behind it. */
TFGEN_API tfgen_code tfgen_decode(tfgen_session *session, int32_t id, tfgen_status *status);

/* tfgen_decode_batch appends one token to each of several sessions of one model in a single pass, which reads the weights
 * once: at most tfgen_info.max_batch. Each session's logits are the same bits as those of tfgen_decode. */
TFGEN_API tfgen_code tfgen_decode_batch(tfgen_session *const *sessions, const int32_t *ids, size_t count, tfgen_status *status);

/* tfgen_logits lends the logits behind the session's last token: tfgen_info.vocabulary values, which are valid until the
 * next call with this session other than this one. count may be NULL. */
TFGEN_API tfgen_code tfgen_logits(tfgen_session *session, const float **logits, size_t *count, tfgen_status *status);

/* tfgen_score appends tokens and gives the logits behind every one of them, [count, vocabulary] row by row; capacity is in
 * elements. With logits NULL it appends nothing and only sets the size. */
TFGEN_API tfgen_code tfgen_score(tfgen_session *session, const int32_t *ids, size_t count, tfgen_abort_callback abort, void *user,
                                 float *logits, size_t capacity, size_t *size, tfgen_status *status);

/* ---- Generation ------------------------------------------------------------------------------------------------ */

/* tfgen_stream_callback receives text as it is generated, and the token that completed it (-1 if the text is what was held
 * back at the end). 0 goes on, a positive value ends the generation in good order, a negative one ends it with
 * TFGEN_ERROR_CALLBACK. The text is valid during the call, is not terminated and may be empty. */
typedef int32_t (*tfgen_stream_callback)(void *user, const char *text, size_t length, int32_t token);

typedef struct tfgen_generate_params {
    size_t struct_size;
    int32_t max_tokens;       /* 0: until the model ends or the context is full */
    int32_t top_k;            /* 0: off */
    double temperature;       /* 0: always the most probable token */
    double top_p;             /* 1: off */
    double min_p;             /* 0: off */
    double repetition_penalty; /* 1: off */
    uint64_t seed;
    const char *const *stop; /* zero-terminated texts that end the generation; they are not part of it */
    size_t stop_count;
    const int32_t *end_tokens; /* in place of the model's own; NULL: the model's own */
    size_t end_token_count;
    const char *options; /* further options, or NULL: a zero-terminated JSON object with names of generation_config.json and
                            llama.cpp, such as {"typical_p": 0.9, "no_repeat_ngram_size": 3}; they win over the fields above.
                            "num_beams" and "penalty_alpha" (with top_k) ask for a search, which gives its best sequence in one
                            piece. "logprobs": n reports probabilities. Of "json_schema" (an object), "grammar" (GBNF), "regex",
                            "choices" (a list of texts), "json" (true) one can be given: the text follows it */
    tfgen_stream_callback on_text; /* may be NULL */
    void *on_text_user;
    tfgen_abort_callback abort; /* may be NULL */
    void *abort_user;
} tfgen_generate_params;

/* tfgen_generate_default_params returns what the model's generation_config.json says; it is valid after tfgen_init. */
TFGEN_API tfgen_generate_params tfgen_generate_default_params(void);

/* Why a generation ended. */
enum {
    TFGEN_END_ERROR = 0,
    TFGEN_END_ABORTED = 1,
    TFGEN_END_OF_TEXT = 2,   /* the model chose an end token */
    TFGEN_END_STOP_TEXT = 3, /* a stop text */
    TFGEN_END_MAX_TOKENS = 4,
    TFGEN_END_CONTEXT = 5, /* the session is full */
    TFGEN_END_CALLBACK = 6 /* the stream callback, or the stream was closed */
};

typedef struct tfgen_result {
    size_t struct_size;
    int32_t end; /* TFGEN_END_… */
    int32_t prompt_tokens;
    int32_t tokens; /* generated, without the end token */
    int32_t reserved;
    double prefill_seconds;
    double first_token_seconds;
    double decode_seconds;
} tfgen_result;

/* tfgen_generate continues a prompt. params may be NULL, result too; result's struct_size must be sizeof(tfgen_result).
 * The text and its tokens can be asked for until the session's next generation, also after an error. */
TFGEN_API tfgen_code tfgen_generate(tfgen_session *session, const char *prompt, size_t length, const tfgen_generate_params *params,
                                    tfgen_result *result, tfgen_status *status);

/* tfgen_generate_ids is tfgen_generate with a prompt of token ids. */
TFGEN_API tfgen_code tfgen_generate_ids(tfgen_session *session, const int32_t *ids, size_t count, const tfgen_generate_params *params,
                                        tfgen_result *result, tfgen_status *status);

/* tfgen_generated_text gives the text of the session's last generation. */
TFGEN_API tfgen_code tfgen_generated_text(tfgen_session *session, char *text, size_t capacity, size_t *length, tfgen_status *status);

/* tfgen_generated_ids gives the tokens of the session's last generation. */
TFGEN_API tfgen_code tfgen_generated_ids(tfgen_session *session, int32_t *ids, size_t capacity, size_t *count, tfgen_status *status);

/* tfgen_generated_logprobs gives the natural logarithm of the probability of every token of the session's last generation, by
 * the model's own logits, if the option "logprobs" was given, else none. */
TFGEN_API tfgen_code tfgen_generated_logprobs(tfgen_session *session, float *values, size_t capacity, size_t *count, tfgen_status *status);

/* tfgen_generated_top_logprobs gives the ids of the most probable tokens in the place of every generated one and the logarithms
 * of their probabilities, [tokens, n] with n of the option "logprobs", the most probable first. */
TFGEN_API tfgen_code tfgen_generated_top_logprobs(tfgen_session *session, int32_t *ids, float *values, size_t capacity, size_t *count,
                                                  tfgen_status *status);

/* tfgen_sequences are the results of a search. */
typedef struct tfgen_sequences tfgen_sequences;

typedef struct tfgen_sequence_info {
    size_t struct_size;
    double score;   /* of beams: logprob / length^length_penalty; of samples: the mean of the tokens */
    double logprob; /* sum of the logarithms of the tokens' probabilities */
    int32_t end;    /* TFGEN_END_... */
    int32_t end_token; /* the token that ended the sequence and is not part of it; -1 if none did */
} tfgen_sequence_info;

/* tfgen_search continues a prompt, text or, if prompt is NULL, ids, with several sequences, the best first: beam search
 * ("num_beams", "num_beam_groups", "diversity_penalty", "length_penalty", "early_stopping"), contrastive search ("penalty_alpha"
 * and top_k), or "best_of" samples, of which "num_return_sequences" are given. It uses sessions of its own. The callbacks of
 * params but abort are not used. */
TFGEN_API tfgen_code tfgen_search(tfgen_model *model, const char *prompt, size_t length, const int32_t *ids, size_t count,
                                  const tfgen_generate_params *params, tfgen_sequences **sequences, tfgen_status *status);

/* tfgen_sequences_count gives the number of sequences; the following functions take an index below it. info's struct_size must
 * be sizeof(tfgen_sequence_info). */
TFGEN_API tfgen_code tfgen_sequences_count(tfgen_sequences *sequences, size_t *count, tfgen_status *status);
TFGEN_API tfgen_code tfgen_sequence_get_info(tfgen_sequences *sequences, size_t index, tfgen_sequence_info *info, tfgen_status *status);
TFGEN_API tfgen_code tfgen_sequence_ids(tfgen_sequences *sequences, size_t index, int32_t *ids, size_t capacity, size_t *count,
                                        tfgen_status *status);
TFGEN_API tfgen_code tfgen_sequence_text(tfgen_sequences *sequences, size_t index, char *text, size_t capacity, size_t *length,
                                         tfgen_status *status);

/* tfgen_sequences_close releases the results. Closing NULL does nothing. */
TFGEN_API tfgen_code tfgen_sequences_close(tfgen_sequences *sequences, tfgen_status *status);

/* tfgen_stream is a generation that the caller asks for the next piece. It uses the session until it is closed. */
typedef struct tfgen_stream tfgen_stream;

/* tfgen_stream_open starts a generation, with the prompt as text or, if prompt is NULL, as ids. The callbacks of params are
 * not used; tfgen_session_cancel ends it. */
TFGEN_API tfgen_code tfgen_stream_open(tfgen_session *session, const char *prompt, size_t length, const int32_t *ids, size_t count,
                                       const tfgen_generate_params *params, tfgen_stream **stream, tfgen_status *status);

/* tfgen_stream_next waits for the next piece and lends its text, which is valid until the stream's next call. At the end
 * done is 1 and there is no text; result (may be NULL) is filled then. */
TFGEN_API tfgen_code tfgen_stream_next(tfgen_stream *stream, const char **text, size_t *length, int32_t *token, int32_t *done,
                                       tfgen_result *result, tfgen_status *status);

/* tfgen_stream_logprobs gives what tfgen_generated_logprobs and tfgen_generated_top_logprobs give, for the token of the stream's
 * last piece. logprob, ids and values may be NULL. */
TFGEN_API tfgen_code tfgen_stream_logprobs(tfgen_stream *stream, double *logprob, int32_t *ids, float *values, size_t capacity, size_t *count,
                                           tfgen_status *status);

/* tfgen_stream_close ends the generation if it still runs. Closing NULL does nothing. */
TFGEN_API tfgen_code tfgen_stream_close(tfgen_stream *stream, tfgen_status *status);

/* ---- Encoders -------------------------------------------------------------------------------------------------- */

/* tfgen_embed gives the embeddings of texts, [count, tfgen_info.embedding_size] row by row; capacity is in elements.
 * lengths may be NULL if all texts are zero-terminated. A batch costs what its tokens cost: there is no padding. */
TFGEN_API tfgen_code tfgen_embed(tfgen_model *model, const char *const *texts, const size_t *lengths, size_t count, tfgen_abort_callback abort,
                                 void *user, float *vectors, size_t capacity, size_t *size, tfgen_status *status);

/* tfgen_classify gives the scores (logits) of texts, [count, tfgen_info.labels] row by row. pairs are second texts, for
 * models that judge two together (NULL: there are none). */
TFGEN_API tfgen_code tfgen_classify(tfgen_model *model, const char *const *texts, const size_t *lengths, const char *const *pairs,
                                    const size_t *pair_lengths, size_t count, tfgen_abort_callback abort, void *user, float *scores,
                                    size_t capacity, size_t *size, tfgen_status *status);

/* tfgen_class_scores is tfgen_classify with what people read: the probabilities of classes of which one holds, those of each
 * class if several may hold, the numbers themselves of a regression, as the checkpoint says. (Since 1.1.) */
TFGEN_API tfgen_code tfgen_class_scores(tfgen_model *model, const char *const *texts, const size_t *lengths, const char *const *pairs,
                                        const size_t *pair_lengths, size_t count, tfgen_abort_callback abort, void *user, float *scores,
                                        size_t capacity, size_t *size, tfgen_status *status);

/* tfgen_rank gives count texts in descending order of what they say about a query, as cross-encoders judge it: order has their
 * indices, scores their scores; both have room for capacity, size is set to count. (Since 1.1.) */
TFGEN_API tfgen_code tfgen_rank(tfgen_model *model, const char *query, size_t query_length, const char *const *texts, const size_t *lengths,
                                size_t count, tfgen_abort_callback abort, void *user, size_t *order, double *scores, size_t capacity,
                                size_t *size, tfgen_status *status);

#define TFGEN_LABEL_SIZE 64

/* tfgen_part is a part of a text: bytes begin to end. */
typedef struct tfgen_part {
    size_t begin, end;
    double score;                 /* a probability */
    char label[TFGEN_LABEL_SIZE]; /* of tfgen_tag: zero-terminated, without B- and I- */
} tfgen_part;

/* tfgen_tag gives the parts of a text that the model marks, such as names, in order; capacity is in parts. Tokens of one kind that
 * follow each other are joined (aggregation_strategy "simple" of transformers). */
TFGEN_API tfgen_code tfgen_tag(tfgen_model *model, const char *text, size_t length, tfgen_abort_callback abort, void *user, tfgen_part *parts,
                               size_t capacity, size_t *count, tfgen_status *status);

/* tfgen_answer gives the best answers to a question in a text, at most most, the best first. */
TFGEN_API tfgen_code tfgen_answer(tfgen_model *model, const char *question, size_t question_length, const char *text, size_t length,
                                  size_t most, tfgen_abort_callback abort, void *user, tfgen_part *parts, size_t capacity, size_t *count,
                                  tfgen_status *status);

/* tfgen_fill_mask gives the most probable tokens for the place of every mask in a text and their probabilities, [masks, most]; ids
 * and scores have room for capacity each. A text without mask is an error. */
TFGEN_API tfgen_code tfgen_fill_mask(tfgen_model *model, const char *text, size_t length, size_t most, tfgen_abort_callback abort, void *user,
                                     int32_t *ids, float *scores, size_t capacity, size_t *count, tfgen_status *status);

/* tfgen_run computes sequences of token ids with their special tokens, lengths[i] ids of sequence i one behind another,
 * and gives the output of that name (tfgen_info.outputs) row by row: one row a sequence, or one a token. types may be NULL.
 * With values NULL it computes nothing and only sets the size. */
TFGEN_API tfgen_code tfgen_run(tfgen_model *model, const int32_t *ids, const int32_t *types, const size_t *lengths, size_t count,
                               const char *output, tfgen_abort_callback abort, void *user, float *values, size_t capacity, size_t *size,
                               tfgen_status *status);

/* tfgen_trace computes one sequence and gives what a model that was built with --trace remembers under a name: hidden/0
 * (what the first layer receives), hidden/1 …, logits and the other outputs. It is made for comparing targets. */
TFGEN_API tfgen_code tfgen_trace(tfgen_model *model, const int32_t *ids, const int32_t *types, size_t count, const char *name, float *values,
                                 size_t capacity, size_t *size, tfgen_status *status);

/* tfgen_trace_encoded is tfgen_trace for an encoder-decoder: source is what the encoder reads, ids what the decoder does. Names
 * are encoder/hidden/0, decoder/hidden/0, logits and so on. */
TFGEN_API tfgen_code tfgen_trace_encoded(tfgen_model *model, const int32_t *source, size_t source_count, const int32_t *ids, size_t count,
                                         const char *name, float *values, size_t capacity, size_t *size, tfgen_status *status);

#ifdef __cplusplus
}
#endif

#endif
