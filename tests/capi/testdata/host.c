/* Checks what a library must not do to its host: host LIBRARY WEIGHTS [LIBRARY2]. The library is loaded by dlopen. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TFGEN_API
#include "test.h"

static struct sigaction before[NSIG];
static sigset_t mask;

static void on_signal(int s) { (void)s; }

static sigjmp_buf escape;

static void on_fault(int s) {
    (void)s;
    siglongjmp(escape, 1);
}

static void expect_same_signals(const char *when) {
    sigset_t now_mask;
    for (int s = 1; s < NSIG; s++) {
        struct sigaction now;
        if (sigaction(s, NULL, &now) != 0) continue;
        if (now.sa_handler != before[s].sa_handler || (now.sa_flags | SA_ONSTACK) != (before[s].sa_flags | SA_ONSTACK)) {
            failures++;
            printf("%s: the disposition of signal %d has changed\n", when, s);
        }
    }
    pthread_sigmask(SIG_SETMASK, NULL, &now_mask);
    for (int s = 1; s < NSIG; s++) EXPECT(sigismember(&mask, s) == sigismember(&now_mask, s));
}

/* A thread that the host keeps for SIGUSR1, which all its other threads block. */
static volatile sig_atomic_t received, elsewhere;
static pid_t keeper;

static void on_user(int s) {
    (void)s;
    if ((pid_t)syscall(SYS_gettid) != keeper) elsewhere++;
    received++;
}

static void *keep(void *stop) {
    sigset_t set;
    struct timespec pause = {0, 1000000};
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    keeper = (pid_t)syscall(SYS_gettid);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    while (!__atomic_load_n((int *)stop, __ATOMIC_ACQUIRE)) nanosleep(&pause, NULL);
    return NULL;
}

static void *library;
#define GET(name) __typeof__(&name) p_##name = (__typeof__(&name))dlsym(library, #name)

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* cost is the time of a call that does nothing but what every call does, in nanoseconds: the best of many batches. */
static double cost(tfgen_session *s) {
    GET(tfgen_session_length);
    double best = 1e9;
    for (int batch = 0; batch < 200; batch++) {
        enum { n = 1000 };
        int32_t length;
        double begin = now();
        for (int i = 0; i < n; i++) p_tfgen_session_length(s, &length, NULL, &status);
        double each = (now() - begin) / n * 1e9;
        if (each < best) best = each;
    }
    return best;
}

int main(int argc, char **argv) {
    pthread_t thread;
    int stop = 0, out[2];
    sigset_t user;
    if (argc < 3) return 2;

    /* The host has handlers of its own, blocks a signal, and keeps one signal for one thread. */
    struct sigaction a;
    memset(&a, 0, sizeof a);
    a.sa_handler = on_signal;
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGURG, &a, NULL);
    a.sa_handler = on_fault;
    sigaction(SIGSEGV, &a, NULL);
    a.sa_handler = on_user;
    sigaction(SIGUSR1, &a, NULL);
    a.sa_handler = SIG_IGN;
    sigaction(SIGHUP, &a, NULL);
    sigemptyset(&user);
    sigaddset(&user, SIGUSR1);
    sigaddset(&user, SIGWINCH);
    pthread_sigmask(SIG_BLOCK, &user, NULL);
    pthread_create(&thread, NULL, keep, &stop);
    for (int s = 1; s < NSIG; s++) sigaction(s, NULL, &before[s]);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);

    /* Whatever the library writes to the standard streams is seen. */
    int real_out = dup(1), real_err = dup(2);
    if (pipe(out) != 0) return 2;
    fflush(stdout);
    dup2(out[1], 1);
    dup2(out[1], 2);

    library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) return 3;
    GET(tfgen_init);
    GET(tfgen_model_open);
    GET(tfgen_model_close);
    GET(tfgen_session_open);
    GET(tfgen_session_close);
    GET(tfgen_session_reset);
    GET(tfgen_generate);
    GET(tfgen_generate_default_params);
    expect_same_signals("after loading");
    tfgen_model *model = NULL;
    tfgen_session *session = NULL;
    OK(p_tfgen_init(TFGEN_ABI_VERSION, &status));
    OK(p_tfgen_model_open(argv[2], NULL, &model, &status));
    OK(p_tfgen_session_open(model, NULL, &session, &status));
    tfgen_generate_params p = p_tfgen_generate_default_params();
    p.max_tokens = 32;
    for (int i = 0; i < 20; i++) {
        kill(getpid(), SIGUSR1);
        OK(p_tfgen_session_reset(session, &status));
        OK(p_tfgen_generate(session, "func main() {", TFGEN_ZERO_TERMINATED, &p, NULL, &status));
    }
    expect_same_signals("after generating");

    /* A fault of the host reaches the host's handler. */
    if (sigsetjmp(escape, 1) == 0) {
        *(volatile int *)(uintptr_t)8 = 1;
        failures++;
    }

    /* Memory that is not there is a status. */
    struct rlimit limit, tight;
    getrlimit(RLIMIT_AS, &limit);
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f != NULL && fscanf(f, "%ld", &pages) == 1) {
        tfgen_session *more = NULL;
        tight = limit;
        tight.rlim_cur = (rlim_t)(pages * sysconf(_SC_PAGESIZE)) + (1 << 20);
        setrlimit(RLIMIT_AS, &tight);
        CODE(TFGEN_ERROR_MEMORY, p_tfgen_session_open(model, NULL, &more, &status));
        setrlimit(RLIMIT_AS, &limit);
    }
    if (f != NULL) fclose(f);

    double nanoseconds = cost(session);
    OK(p_tfgen_session_close(session, &status));
    OK(p_tfgen_model_close(model, &status));
    EXPECT(dlclose(library) == 0 && dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD) != NULL); /* it stays */

    if (argc > 3) { /* a second model in the same process */
        tfgen_info info;
        library = dlopen(argv[3], RTLD_NOW | RTLD_LOCAL);
        if (library == NULL) return 3;
        GET(tfgen_init);
        GET(tfgen_get_info);
        info.struct_size = sizeof info;
        OK(p_tfgen_init(TFGEN_ABI_VERSION, &status));
        OK(p_tfgen_get_info(&info, &status));
        EXPECT(strcmp(info.name, "gocode") != 0);
        expect_same_signals("after loading a second model");
    }

    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    fflush(stdout);
    dup2(real_out, 1);
    dup2(real_err, 2);
    close(out[1]);
    char text[4096];
    ssize_t written = read(out[0], text, sizeof text);
    if (written > 0) {
        failures++;
        printf("written to the standard streams: %.*s\n", (int)written, text);
    }
    EXPECT(received > 0 && elsewhere == 0);
    printf("a call costs %.0f ns\n", nanoseconds);
    if (failures == 0) printf("ok\n");
    return failures != 0;
}
