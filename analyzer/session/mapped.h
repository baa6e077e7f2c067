/* Files that shrink while they are mapped. */
#ifndef ANALYZER_MAPPED_H
#define ANALYZER_MAPPED_H

/* From here on, should one of these files shrink while it is mapped, the program ends with a line that says so. The
 * paths must stay. */
void guard_mapped(const char **paths, int count);

#endif
