/* Kills the process that it is preloaded into at one call of the C library.

   Counted are calls that change a file below KILL_FOLDER, open one there, or use a connection over IP, from the
   first call about that folder on. Reading, waiting and what the interpreter does for itself do not count.

   KILL_FOLDER  an absolute path
   KILL_CALL    the name that a call is counted under (below), or `any`
   KILL_AT      at which of them the process dies; 0: at none
   KILL_WHEN    `before` the call, `after` it, or `half`: after a write of half of what was to be written
   KILL_REPORT  a file that gets the name of each counted call, and at the end the one that it died at

   Programs that the process starts are left alone. */

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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST_FILES 4096

enum moment { BEFORE, HALF, AFTER };

static pid_t process;
static const char *folder = "", *wanted = "any";
static size_t folder_length;
static long kill_at;
static enum moment moment = BEFORE;
static int report = -1;
static atomic_int begun;
static atomic_long counted;
static atomic_char followed[MOST_FILES]; /* by file number: a file of the folder, or a connection */

/* Read the settings; a child that is to be killed too calls this after it was forked. */
void kill_at_call_start(void) {
    const char *value;
    process = getpid();
    begun = 0;
    counted = 0;
    wanted = (value = getenv("KILL_CALL")) ? strdup(value) : "any";
    kill_at = (value = getenv("KILL_AT")) ? atol(value) : 0;
    value = getenv("KILL_WHEN");
    moment = !value ? BEFORE : *value == 'a' ? AFTER : *value == 'h' ? HALF : BEFORE;
    report = -1;
    if ((value = getenv("KILL_REPORT")))
        report = (int)syscall(SYS_openat, AT_FDCWD, value, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    folder = (value = getenv("KILL_FOLDER")) ? strdup(value) : "";
    folder_length = strlen(folder);
}

__attribute__((constructor)) static void start(void) {
    unsetenv("LD_PRELOAD");
    kill_at_call_start();
}

static void say(const char *text) {
    if (report >= 0 && syscall(SYS_write, report, text, strlen(text)) < 0) report = -1;
}

static void die(const char *name, int file, const char *path) {
    static const char *moments[] = {"before", "in the middle of", "after"};
    char text[600], link[40], target[400] = "";
    if (!path && file >= 0) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        if (readlink(link, target, sizeof target - 1) < 0) *target = 0;
        path = target;
    }
    snprintf(text, sizeof text, "killed %s %s: %s\n", moments[moment], name, path ? path : "");
    say(text);
    for (;;) kill(process, SIGKILL);
}

/* Count a call; return whether it is the one. */
static int chosen(const char *name) {
    char text[40];
    int kept = errno;
    if (getpid() != process) return 0;
    snprintf(text, sizeof text, "%s\n", name);
    say(text);
    errno = kept;
    if (strcmp(wanted, "any") && strcmp(wanted, name)) return 0;
    return atomic_fetch_add(&counted, 1) + 1 == kill_at;
}

static int is_followed(int file) { return file >= 0 && file < MOST_FILES && followed[file]; }

static void follow(int file, int yes) {
    if (file >= 0 && file < MOST_FILES) followed[file] = (char)yes;
}

static int is_ours(int directory, const char *path) {
    if (!folder_length || !path) return 0;
    if (*path != '/') return directory != AT_FDCWD && is_followed(directory);
    if (strncmp(path, folder, folder_length) || (path[folder_length] && path[folder_length] != '/')) return 0;
    begun = 1;
    return 1;
}

#define NEXT(name) \
    static __typeof__(&name) next; \
    if (!next) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* A call that is counted under `as` if `counts`: made, and died around if it is the one. */
#define AROUND(type, as, counts, file, path, call) \
    int dies = (counts) && chosen(as); \
    if (dies && moment != AFTER) die(as, file, path); \
    type result = call; \
    if (dies) die(as, file, path); \
    return result

#define ON_FILE(type, name, as, parameters, arguments) \
    type name parameters { \
        NEXT(name); \
        AROUND(type, as, is_followed(file), file, NULL, next arguments); \
    }

#define ON_PATH(name, as, directory, parameters, arguments) \
    int name parameters { \
        NEXT(name); \
        AROUND(int, as, is_ours(directory, path), -1, path, next arguments); \
    }

#define WRITES(name, as, parameters, arguments, arguments_of_half) \
    ssize_t name parameters { \
        NEXT(name); \
        int dies = is_followed(file) && chosen(as); \
        if (dies && (moment == BEFORE || (moment == HALF && next arguments_of_half >= 0))) die(as, file, NULL); \
        ssize_t result = next arguments; \
        if (dies) die(as, file, NULL); \
        return result; \
    }

#define OPENS(name, directory, parameters, arguments) \
    int name parameters { \
        NEXT(name); \
        mode_t mode = 0; \
        if (flags & (O_CREAT | __O_TMPFILE)) { \
            va_list rest; \
            va_start(rest, flags); \
            mode = va_arg(rest, mode_t); \
            va_end(rest); \
        } \
        int ours = is_ours(directory, path), dies = ours && chosen("open"); \
        if (dies && moment != AFTER) die("open", -1, path); \
        int file = next arguments; \
        follow(file, ours); \
        if (dies) die("open", -1, path); \
        return file; \
    }

OPENS(open, AT_FDCWD, (const char *path, int flags, ...), (path, flags, mode))
OPENS(open64, AT_FDCWD, (const char *path, int flags, ...), (path, flags, mode))
OPENS(openat, at, (int at, const char *path, int flags, ...), (at, path, flags, mode))
OPENS(openat64, at, (int at, const char *path, int flags, ...), (at, path, flags, mode))

WRITES(write, "write", (int file, const void *data, size_t size), (file, data, size), (file, data, size / 2))
WRITES(pwrite, "pwrite", (int file, const void *data, size_t size, off_t at), (file, data, size, at),
       (file, data, size / 2, at))
WRITES(pwrite64, "pwrite", (int file, const void *data, size_t size, off64_t at), (file, data, size, at),
       (file, data, size / 2, at))
WRITES(send, "send", (int file, const void *data, size_t size, int flags), (file, data, size, flags),
       (file, data, size / 2, flags))
WRITES(sendto, "send",
       (int file, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t length),
       (file, data, size, flags, to, length), (file, data, size / 2, flags, to, length))
ON_FILE(ssize_t, writev, "write", (int file, const struct iovec *parts, int count), (file, parts, count))
ON_FILE(ssize_t, sendmsg, "send", (int file, const struct msghdr *message, int flags), (file, message, flags))

ON_FILE(ssize_t, recv, "recv", (int file, void *data, size_t size, int flags), (file, data, size, flags))
ON_FILE(ssize_t, recvfrom, "recv",
        (int file, void *data, size_t size, int flags, struct sockaddr *from, socklen_t *length),
        (file, data, size, flags, from, length))
ON_FILE(ssize_t, recvmsg, "recv", (int file, struct msghdr *message, int flags), (file, message, flags))

ON_FILE(int, fsync, "fsync", (int file), (file))
ON_FILE(int, fdatasync, "fsync", (int file), (file))
ON_FILE(int, ftruncate, "truncate", (int file, off_t size), (file, size))
ON_FILE(int, ftruncate64, "truncate", (int file, off64_t size), (file, size))

ON_PATH(truncate, "truncate", AT_FDCWD, (const char *path, off_t size), (path, size))
ON_PATH(truncate64, "truncate", AT_FDCWD, (const char *path, off64_t size), (path, size))
ON_PATH(rename, "rename", AT_FDCWD, (const char *old, const char *path), (old, path))
ON_PATH(renameat, "rename", at, (int from, const char *old, int at, const char *path), (from, old, at, path))
ON_PATH(link, "link", AT_FDCWD, (const char *old, const char *path), (old, path))
ON_PATH(unlink, "unlink", AT_FDCWD, (const char *path), (path))
ON_PATH(unlinkat, "unlink", at, (int at, const char *path, int flags), (at, path, flags))
ON_PATH(mkdir, "mkdir", AT_FDCWD, (const char *path, mode_t mode), (path, mode))

int connect(int file, const struct sockaddr *to, socklen_t length) {
    NEXT(connect);
    int by_ip = begun && (to->sa_family == AF_INET || to->sa_family == AF_INET6);
    follow(file, by_ip);
    AROUND(int, "connect", by_ip, file, NULL, next(file, to, length));
}

int close(int file) {
    NEXT(close);
    follow(file, 0);
    return next(file);
}
