/* Signals. Go's runtime installs handlers for SIGSEGV, SIGBUS, SIGFPE, SIGPIPE and SIGURG when it starts, and its threads
 * take part in the delivery of all signals. A library has no business with either. Functions that are called around its start,
 * in tfgen_init, or as constructors where a static archive makes a program start it, remember all dispositions, block signals so that the runtime's threads are born with them blocked, and put
 * everything back: handlers of the program stay the program's and run on its threads only. What is lost is that Go turns a
 * fault in its code into a panic; the runtime is linked with asyncpreemptoff, so that it sends no SIGURG. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

/* A disposition as the kernel has it, so that it comes back to the bit; glibc's sigaction adds flags. */
struct disposition {
    void *handler;
    unsigned long flags;
    void *rest[2]; /* restorer and mask, in the order of the processor */
};

static struct disposition before[NSIG];
static sigset_t mask;

static long exchange(int signal, const struct disposition *new, struct disposition *old) {
    return syscall(SYS_rt_sigaction, signal, new, old, sizeof(unsigned long));
}

__attribute__((constructor(101))) void tfgen_remember_signals(void) {
    static const int synchronous[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    for (int s = 1; s < NSIG; s++) exchange(s, NULL, &before[s]);
    sigset_t all;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof synchronous / sizeof *synchronous; i++) sigdelset(&all, synchronous[i]);
    pthread_sigmask(SIG_SETMASK, &all, &mask);
}

/* A handler of the program may find itself on a thread that computes, whose stack is small: it gets the alternate stack,
 * as Go's runtime arranges for handlers that it finds. */
__attribute__((constructor)) void tfgen_restore_signals(void) {
    for (int s = 1; s < NSIG; s++) {
        struct disposition now;
        if (exchange(s, NULL, &now) != 0) continue;
        int own = before[s].handler != (void *)SIG_DFL && before[s].handler != (void *)SIG_IGN;
        if (own) before[s].flags |= SA_ONSTACK;
        if (now.handler != before[s].handler || now.flags != before[s].flags) exchange(s, &before[s], NULL);
    }
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
}
