/* System calls without libc: no errno, no cancellation point, nothing another library could have interposed. A dump
 * may run inside a signal handler inside malloc, where this is all that is safe. Each returns the kernel's answer: a
 * result, or minus the errno.
 */
#ifndef DUMPFMT_RAWSYS_H
#define DUMPFMT_RAWSYS_H

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#if defined(__x86_64__)

static inline long raw_syscall(long n, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#elif defined(__aarch64__)

static inline long raw_syscall(long n, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = n;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}

#else
#error "refheap knows the system calls of x86-64 and aarch64"
#endif

static inline long raw_openat(int dir, const char *path, int flags, int mode)
{
    return raw_syscall(SYS_openat, dir, (long)path, flags, mode, 0, 0);
}

static inline long raw_close(int fd)
{
    return raw_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
}

static inline long raw_read(int fd, void *to, size_t size)
{
    long n;
    do
        n = raw_syscall(SYS_read, fd, (long)to, (long)size, 0, 0, 0);
    while (n == -EINTR);
    return n;
}

static inline long raw_pread(int fd, void *to, size_t size, uint64_t offset)
{
    long n;
    do
        n = raw_syscall(SYS_pread64, fd, (long)to, (long)size, (long)offset, 0, 0);
    while (n == -EINTR);
    return n;
}

static inline long raw_write(int fd, const void *from, size_t size)
{
    long n;
    do
        n = raw_syscall(SYS_write, fd, (long)from, (long)size, 0, 0, 0);
    while (n == -EINTR);
    return n;
}

static inline long raw_getpid(void)
{
    return raw_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

static inline long raw_gettid(void)
{
    return raw_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

static inline long raw_getrandom(void *to, size_t size)
{
    return raw_syscall(SYS_getrandom, (long)to, (long)size, 0, 0, 0, 0);
}

/* Anonymous private memory, zeroed; NULL when there is none. */
static inline void *raw_map(size_t size)
{
    long p = raw_syscall(SYS_mmap, 0, (long)size, 3 /* PROT_READ | PROT_WRITE */,
                         0x22 /* MAP_PRIVATE | MAP_ANONYMOUS */, -1, 0);
    return p < 0 && p > -4096 ? NULL : (void *)p;
}

static inline void raw_unmap(void *memory, size_t size)
{
    raw_syscall(SYS_munmap, (long)memory, (long)size, 0, 0, 0, 0);
}

#endif
