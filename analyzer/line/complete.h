/* Completion of the command line, for shells: what could stand where the cursor is.
 *
 * Everything offered comes from the tables the program itself runs by, and names from the snapshot on the line, so that
 * the scripts of bash, zsh and fish know nothing that could grow old.
 */
#ifndef ANALYZER_COMPLETE_H
#define ANALYZER_COMPLETE_H

#include "command.h"

/* Answers `refheap complete WORD...`: the words behind "refheap", unquoted, the last one up to the cursor. Prints a
 * line for each way to go on that begins with the last word: what it is, the word, and a few words about it, with tabs
 * between:
 *
 *     word WORD ABOUT     the whole word
 *     part WORD ABOUT     no space behind it: more is to come
 *     file PATTERN BEFORE any file whose name matches, and folders; behind this beginning of the word, if not empty
 *     folder * BEFORE     folders alone
 *
 * Words with control characters or bytes that are no UTF-8 are left out. Says nothing of what is wrong on the line.
 * Always returns STATUS_FINE. */
int complete(const struct command *const *commands, int count, int argc, char **argv);

#endif
