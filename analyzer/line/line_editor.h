/* Lines typed at a terminal: with editing, and a history of this sitting.
 *
 * By libedit: small, in every Debian, and it leaves signals to the program. (GNU readline does the same; libedit was
 * preferred for its licence and because it has no state of its own.)
 */
#ifndef ANALYZER_LINE_EDITOR_H
#define ANALYZER_LINE_EDITOR_H

#include <signal.h>

struct line_editor;

/* An editor on standard input that shows itself on standard error; NULL when one of them is no terminal, or one that
 * cannot move its cursor (TERM is dumb), or without memory. Whoever gets NULL reads lines as from a file. */
struct line_editor *line_editor_open(void);
void line_editor_close(struct line_editor *editor);

/* Reads a line, which ends in a newline and is valid until the next call, and adds it to the history. Returns its
 * length, 0 at the end of input, or -1 when *interrupted became true: a signal that sets it is let through only while
 * waiting for a key, so that none is missed. */
int line_editor_read(struct line_editor *editor, const char *prompt, const volatile sig_atomic_t *interrupted,
                     const char **line);

#endif
