/* How much memory this process may still take. */
#ifndef ANALYZER_FREE_MEMORY_H
#define ANALYZER_FREE_MEMORY_H

#include <stdint.h>

/* Bytes, as the kernel estimates them without swapping, and no more than its control groups allow; 0 when nobody says.
 */
uint64_t free_memory(void);

#endif
