/* The browser on a terminal. */
#ifndef BROWSE_TERMINAL_H
#define BROWSE_TERMINAL_H

#include "browser.h"

/* Whether there is a terminal that can be written to anywhere; if not, *why says what is missing. */
int terminal_is_there(const char **why);

/* Shows the browser until it ends. The terminal is left as it was found, also when a signal or a fault ends the
 * program. Returns 0, or -1 when the terminal could not be used. */
int terminal_run(struct browser *browser, int color);

#endif
