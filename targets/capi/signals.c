/* Signals. Go's runtime installs handlers for SIGSEGV, SIGBUS, SIGFPE, SIGPIPE and SIGURG when a library is loaded, and its
 * threads take part in the delivery of all signals. A library has no business with either. Constructors around that of the
 * runtime remember all dispositions, block signals so that the runtime's threads are born with them blocked, and put
 * everything back: handlers of the program stay the program's and run on its threads only. What is lost is that Go turns a
 * fault in its code into a panic; the runtime is linked with asyncpreemptoff, so that it sends no SIGURG. */
#include <pthread.h>
#include <signal.h>
#include <stddef.h>

static struct sigaction before[NSIG];
static sigset_t mask;

__attribute__((constructor(101))) static void remember_signals(void) {
    static const int synchronous[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    for (int s = 1; s < NSIG; s++) sigaction(s, NULL, &before[s]);
    sigset_t all;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof synchronous / sizeof *synchronous; i++) sigdelset(&all, synchronous[i]);
    pthread_sigmask(SIG_SETMASK, &all, &mask);
}

/* A handler of the program may find itself on a thread that computes, whose stack is small: it gets the alternate stack,
 * as Go's runtime arranges for handlers that it finds. */
__attribute__((constructor)) static void restore_signals(void) {
    for (int s = 1; s < NSIG; s++) {
        struct sigaction now;
        if (sigaction(s, NULL, &now) != 0) continue;
        int own = before[s].sa_handler != SIG_DFL && before[s].sa_handler != SIG_IGN;
        if (own) before[s].sa_flags |= SA_ONSTACK;
        if (now.sa_handler != before[s].sa_handler || own) sigaction(s, &before[s], NULL);
    }
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
}
