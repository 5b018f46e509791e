/* A library to preload that remembers what a power loss would leave: of each file the bytes at its last sync, of each directory the entries
 * at its last sync, and nothing else. POSIX promises no more; what a file system writes by itself in time, or orders by kindness, does not
 * count. After the Nth sync it ends the process. lost_writes.py makes a directory of what is remembered, and looks whether a new process
 * finds everything there.
 *
 *   LOST_UNDER=DIR    files and directories under DIR
 *   LOST_SHADOW=DIR   where it is remembered: files/KEY (bytes), directories/KEY (lines "TYPE KEY NAME"), roots (the KEY of LOST_UNDER),
 *                     syncs (how many there were, when the process ended by itself)
 *   LOST_AT=N         ends the process after the Nth sync; 0: does not
 *   LOST_SYNCS=KINDS  these do nothing, as a mutant of the program would: any of "files", "directories", "database", "all"
 *
 * KEY names an inode for good: its number and when it was made, because numbers are used again.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static const char *under, *shadow, *lost;
static long syncs, end_at;

static void broken(const char* what) {
    perror(what);
    _exit(99);
}

struct object {
    char key[64];
    mode_t mode;
};

static struct object object_at(int directory, const char* name, int flags) {
    struct statx found;
    struct object object;
    if (statx(directory, name, flags | AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &found) != 0) broken("statx");
    if (!(found.stx_mask & STATX_BTIME)) {
        fprintf(stderr, "lost_writes: this file system does not say when a file was made\n");
        _exit(99);
    }
    snprintf(object.key, sizeof object.key, "%llu-%lld-%u", (unsigned long long)found.stx_ino, (long long)found.stx_btime.tv_sec,
             found.stx_btime.tv_nsec);
    object.mode = found.stx_mode;
    return object;
}

__attribute__((constructor)) static void configure(void) {
    shadow = getenv("LOST_SHADOW");
    lost = getenv("LOST_SYNCS") ? getenv("LOST_SYNCS") : "";
    end_at = getenv("LOST_AT") ? atol(getenv("LOST_AT")) : 0;
    const char* root = getenv("LOST_UNDER");
    if (!root || !shadow) return;
    char path[4096];
    snprintf(path, sizeof path, "%s/roots", shadow);
    FILE* out = fopen(path, "w");
    if (!out) broken(path);
    fprintf(out, "%s\n", object_at(AT_FDCWD, root, 0).key);
    fclose(out);
    under = root;
}

__attribute__((destructor)) static void report(void) {
    if (!under) return;
    char path[4096];
    snprintf(path, sizeof path, "%s/syncs", shadow);
    FILE* out = fopen(path, "w");
    if (!out) broken(path);
    fprintf(out, "%ld\n", syncs);
    fclose(out);
}

static FILE* remembered(const char* kind, const char* key, char* path, size_t size) {
    snprintf(path, size, "%s/%s/%s", shadow, kind, key);
    FILE* out = fopen(path, "w");
    if (!out) broken(path);
    return out;
}

static void remember_file(const char* key, const char* descriptor) {
    char path[4096], bytes[65536];
    FILE* out = remembered("files", key, path, sizeof path);
    int in = REAL(open)(descriptor, O_RDONLY | O_CLOEXEC);
    if (in < 0) broken("open a file that is synced");
    for (ssize_t n; (n = read(in, bytes, sizeof bytes)) > 0;) fwrite(bytes, 1, (size_t)n, out);
    close(in);
    if (fclose(out) != 0) broken(path);
}

static void remember_directory(const char* key, const char* descriptor) {
    char path[4096];
    FILE* out = remembered("directories", key, path, sizeof path);
    DIR* directory = opendir(descriptor);
    if (!directory) broken("open a directory that is synced");
    for (struct dirent* entry; (entry = readdir(directory));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        struct statx there;
        if (statx(dirfd(directory), entry->d_name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &there) != 0) continue; /* gone by now */
        struct object object = object_at(dirfd(directory), entry->d_name, 0);
        fprintf(out, "%c %s %s\n", S_ISDIR(object.mode) ? 'd' : 'f', object.key, entry->d_name);
    }
    closedir(directory);
    if (fclose(out) != 0) broken(path);
}

static int forgotten(const char* path, mode_t mode) {
    if (strstr(lost, "all")) return 1;
    if (S_ISDIR(mode)) return strstr(lost, "directories") != NULL;
    return strstr(lost, strstr(path, "state.sqlite") ? "database" : "files") != NULL;
}

static void remember(int fd) {
    char link[64], path[4096];
    if (!under) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size <= 0) return;
    path[size] = 0;
    if (strncmp(path, under, strlen(under)) != 0) return;
    pthread_mutex_lock(&guard);
    struct object object = object_at(fd, "", AT_EMPTY_PATH);
    if (forgotten(path, object.mode)) {
        /* a sync that is called, and was not made */
    } else if (S_ISDIR(object.mode)) {
        remember_directory(object.key, link);
    } else {
        remember_file(object.key, link);
    }
    if (++syncs == end_at) kill(getpid(), SIGKILL);
    pthread_mutex_unlock(&guard);
}

/* The disk is not asked: what is remembered is what counts. */
int fsync(int fd) { remember(fd); return 0; }
int fdatasync(int fd) { remember(fd); return 0; }
