/* A thread's registers as Linux hands them out, in cores and by ptrace. */
#ifndef PROBE_REGISTERS_H
#define PROBE_REGISTERS_H

#include "probe.h"

/* Which of them are the stack pointer and the program counter; how many DWARF numbers, and which number the stack
 * pointer has there (and the return address, where it has one); and the numbers DWARF gives those that hold what a
 * program computes (the psABIs of both machines), -1 for others. */
#if defined(__x86_64__)
enum { REGISTER_SP = 19, REGISTER_PC = 16, REGISTER_SP_NUMBER = 7, REGISTER_COUNT = 16 };
#define REGISTER_RETURN_NUMBER 16
static const signed char register_numbers[] = {15, 14, 13, 12, 6, 3, 11, 10, 9, 8, 0, 2, 1, 4, 5};
#elif defined(__aarch64__)
enum { REGISTER_SP = 31, REGISTER_PC = 32, REGISTER_SP_NUMBER = 31, REGISTER_COUNT = 32 };
static const signed char register_numbers[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                               16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30};
#endif

static inline int register_number(unsigned i)
{
    return i < sizeof register_numbers ? register_numbers[i] : -1;
}

static inline struct probe_thread thread_of(uint64_t tid, const uint64_t *registers, size_t count)
{
    return (struct probe_thread){tid, count > REGISTER_SP ? registers[REGISTER_SP] : 0, registers, (unsigned)count};
}

#endif
