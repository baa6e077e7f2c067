/* Errors of refheap's libraries.
 *
 * A function that can fail takes a `struct rh_error *` as its last parameter (NULL is allowed), owned by the caller
 * and never allocated, and returns 0 or one of the negative codes below. Setting an error calls no libc function that
 * could allocate or lock, so that a dump inside a signal handler can fail properly.
 */
#ifndef REFHEAP_ERROR_H
#define REFHEAP_ERROR_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum rh_status {
    RH_OK = 0,
    RH_ERR_NO_MEMORY = -1,
    RH_ERR_IO = -2,          /* the system refused; os_error says why */
    RH_ERR_FORMAT = -3,      /* the input is not what it should be */
    RH_ERR_ARGUMENT = -4,    /* the caller asked for something that makes no sense */
    RH_ERR_BUSY = -5,        /* not now: the heap is being changed; a safe point will come */
    RH_ERR_UNSUPPORTED = -6, /* known, and not handled by this version */
    RH_ERR_NOT_FOUND = -7,
};

/* What went wrong. `what` and `hint` are whole sentences without a full stop: what is wrong, and what to do about it
 * (may be empty). `section` and `offset` name the place in a file when has_offset is set. */
struct rh_error {
    int code;     /* enum rh_status */
    int os_error; /* errno of the failed system call, or 0 */
    int has_offset;
    uint64_t offset;
    char section[24];
    char what[200];
    char hint[120];
};

#ifdef __cplusplus
}
#endif
#endif
