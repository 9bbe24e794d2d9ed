#ifndef TOOLS_SIGNALS_H
#define TOOLS_SIGNALS_H

/*
 * SIGINT, SIGTERM and SIGHUP ask a command to stop; it does so at the next
 * moment at which nothing is left half done. A second one ends the process at
 * once, which harms no store either.
 */
#include <stdatomic.h>

/** signals_catch(): Once, at the start. Ignored signals (nohup) stay so. */
void signals_catch(void);

/** signals_release(): Back to what they were before, for whoever has his own. */
void signals_release(void);

/** signals_stop(): Set once a signal has come. */
const atomic_bool *signals_stop(void);

#endif
