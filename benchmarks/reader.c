/* A bare reader of the kernel's queue, and eager: it reads as soon as there is something to read.

   It counts the names that it is to tell, by the hashes of their paths, which are relative to the
   watched directory. One thread runs reader_run; another may call the rest. */

#define _GNU_SOURCE
#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#define MASK (IN_CREATE | IN_MODIFY | IN_ATTRIB | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)

struct slot {
    uint64_t hash; /* 0: nothing here */
    int64_t when;  /* ns of CLOCK_MONOTONIC when it was first told; 0: not yet */
};

struct table {
    size_t mask;
    int64_t told, missing;
    int64_t ended; /* ns of CPU when no name was missing any more; 0: not yet */
    struct slot slots[];
};

static int queue = -1;
static size_t top;             /* length of the watched directory's path, with its slash */
static uint64_t *prefixes;     /* by watch: the hash of its path with a slash */
static int watches;
static uint64_t probe;
static _Atomic int64_t watching, watching_cpu;
static _Atomic(struct table *) expected;

static int64_t now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* FNV-1a: the hash of a path goes on from that of its directory. */
static uint64_t hash(uint64_t so_far, const char *text)
{
    for (; *text; text++)
        so_far = (so_far ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return so_far;
}

static uint64_t hash_path(const char *path)
{
    return hash(UINT64_C(14695981039346656037), path);
}

static int watch(const char *path)
{
    int key = inotify_add_watch(queue, path, MASK);
    if (key < 0)
        return -1;
    if (key >= watches) {
        watches = 2 * key + 16;
        prefixes = realloc(prefixes, watches * sizeof *prefixes);
    }
    prefixes[key] = strlen(path) < top ? hash_path("") : hash(hash_path(path + top), "/");
    return 0;
}

static int visit(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)where;
    return type == FTW_D ? watch(path) : 0;
}

/* Watch a directory; 0, or errno. `name`: the file that tells that it is watched. */
int reader_open(const char *path, const char *name, int recursive)
{
    top = strlen(path) + 1;
    probe = hash_path(name);
    queue = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (queue < 0 || (recursive ? nftw(path, visit, 64, FTW_PHYS) : watch(path)) < 0)
        return errno;
    return 0;
}

static struct slot *find(struct table *table, uint64_t hash)
{
    size_t at = hash & table->mask;
    while (table->slots[at].hash && table->slots[at].hash != hash)
        at = (at + 1) & table->mask;
    return &table->slots[at];
}

/* The go signal: `count` names, each ended by a NUL, have to be told from now on. */
void reader_expect(const char *names, size_t count)
{
    size_t size = 1024;
    while (size < 2 * count)
        size *= 2;
    struct table *table = calloc(1, sizeof *table + size * sizeof *table->slots);
    table->mask = size - 1;
    table->missing = count;
    for (; count; count--, names += strlen(names) + 1) {
        uint64_t of_name = hash_path(names);
        find(table, of_name)->hash = of_name;
    }
    /* The one before is left: the other thread may hold it. */
    atomic_store(&expected, table);
}

static void tell(struct table *table, uint64_t of_name, int64_t when)
{
    if (!watching && of_name == probe) {
        watching_cpu = now(CLOCK_PROCESS_CPUTIME_ID);
        watching = when;
    }
    if (!table)
        return;
    table->told++;
    struct slot *slot = find(table, of_name);
    if (!slot->hash || slot->when)
        return;
    slot->when = when;
    if (--table->missing == 0)
        table->ended = now(CLOCK_PROCESS_CPUTIME_ID);
}

/* Read for ever. */
void reader_run(void)
{
    static char buffer[65536] __attribute__((aligned(__alignof__(struct inotify_event))));
    struct pollfd waiting = {.fd = queue, .events = POLLIN};
    for (;;) {
        poll(&waiting, 1, -1);
        ssize_t size = read(queue, buffer, sizeof buffer);
        struct table *table = atomic_load(&expected);
        int64_t when = now(CLOCK_MONOTONIC);
        for (char *at = buffer; at < buffer + size;) {
            struct inotify_event *event = (struct inotify_event *)at;
            if (event->wd >= 0 && event->len)
                tell(table, hash(prefixes[event->wd], event->name), when);
            at += sizeof *event + event->len;
        }
    }
}

/* Events told, names missing, ns of CPU at the end; ns and of CPU when the probe was told. */
void reader_state(int64_t state[5])
{
    struct table *table = atomic_load(&expected);
    state[0] = table ? table->told : 0;
    state[1] = table ? table->missing : 0;
    state[2] = table ? table->ended : 0;
    state[3] = watching;
    state[4] = watching_cpu;
}

/* When a name was first told, in ns of CLOCK_MONOTONIC; 0: never. */
int64_t reader_when(const char *name)
{
    struct table *table = atomic_load(&expected);
    return table ? find(table, hash_path(name))->when : 0;
}
