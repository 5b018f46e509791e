/* A library to preload that makes the Nth change to the disk fail, or ends the process there: the sweep (sweep.py) moves N from the
 * first change to the last.
 *
 *   FAIL_UNDER=DIR    only changes to files under DIR count: write, pwrite, fsync, fdatasync, ftruncate, rename, link, unlink, mkdir,
 *                     open that creates
 *   FAIL_AT=N         which one, counted from 1; 0: none
 *   FAIL_HOW=         kill-before: SIGKILL in its place; kill-after: it is done, then SIGKILL;
 *                     ENOSPC, EIO: it is not done, and fails so, FAIL_TIMES times in a row (default 1)
 *   FAIL_COUNT=FILE   at exit the number of changes is written there
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_long changes;
static const char* under;
static long fail_at, fail_times;
static const char* fail_how;

__attribute__((constructor)) static void configure(void) {
    under = getenv("FAIL_UNDER");
    fail_at = getenv("FAIL_AT") ? atol(getenv("FAIL_AT")) : 0;
    fail_times = getenv("FAIL_TIMES") ? atol(getenv("FAIL_TIMES")) : 1;
    fail_how = getenv("FAIL_HOW") ? getenv("FAIL_HOW") : "EIO";
}

__attribute__((destructor)) static void report(void) {
    const char* path = getenv("FAIL_COUNT");
    if (!path) return;
    under = NULL;
    FILE* out = fopen(path, "w");
    if (!out) return;
    fprintf(out, "%ld\n", atomic_load(&changes));
    fclose(out);
}

static int path_counts(const char* path) { return under && path && strncmp(path, under, strlen(under)) == 0; }

static int descriptor_counts(int fd) {
    if (!under) return 0;
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size <= 0) return 0;
    path[size] = 0;
    return path_counts(path);
}

/* What is to become of this change: 0 do it, 1 fail with errno set, 2 do it and then end. */
static int verdict(int counts) {
    if (!counts) return 0;
    long n = atomic_fetch_add(&changes, 1) + 1;
    if (fail_at == 0 || n < fail_at || n >= fail_at + fail_times) return 0;
    if (!strcmp(fail_how, "kill-before")) kill(getpid(), SIGKILL);
    if (!strcmp(fail_how, "kill-after")) return 2;
    errno = !strcmp(fail_how, "ENOSPC") ? ENOSPC : EIO;
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define CHANGE(result_type, counts, call)                  \
    int what = verdict(counts);                            \
    if (what == 1) return -1;                              \
    result_type result = call;                             \
    if (what == 2) kill(getpid(), SIGKILL);                \
    return result

ssize_t write(int fd, const void* bytes, size_t size) { CHANGE(ssize_t, descriptor_counts(fd), REAL(write)(fd, bytes, size)); }
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
    CHANGE(ssize_t, descriptor_counts(fd), REAL(pwrite)(fd, bytes, size, at));
}
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
    CHANGE(ssize_t, descriptor_counts(fd), REAL(pwrite64)(fd, bytes, size, at));
}
int fsync(int fd) { CHANGE(int, descriptor_counts(fd), REAL(fsync)(fd)); }
int fdatasync(int fd) { CHANGE(int, descriptor_counts(fd), REAL(fdatasync)(fd)); }
int ftruncate(int fd, off_t size) { CHANGE(int, descriptor_counts(fd), REAL(ftruncate)(fd, size)); }
int ftruncate64(int fd, off64_t size) { CHANGE(int, descriptor_counts(fd), REAL(ftruncate64)(fd, size)); }
int rename(const char* from, const char* to) { CHANGE(int, path_counts(to), REAL(rename)(from, to)); }
int link(const char* from, const char* to) { CHANGE(int, path_counts(to), REAL(link)(from, to)); }
int unlink(const char* path) { CHANGE(int, path_counts(path), REAL(unlink)(path)); }
int mkdir(const char* path, mode_t mode) { CHANGE(int, path_counts(path), REAL(mkdir)(path, mode)); }
int open(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    CHANGE(int, (flags & O_CREAT) && path_counts(path), REAL(open)(path, flags, mode));
}
int open64(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    CHANGE(int, (flags & O_CREAT) && path_counts(path), REAL(open64)(path, flags, mode));
}
