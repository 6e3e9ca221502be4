// C programs for the tests of WASI: what they print is what the tests compare.

export const HELLO = `
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) printf("arg %d: %s\\n", i, argv[i]);
  printf("A=%s\\n", getenv("A") ? getenv("A") : "(none)");
  fprintf(stderr, "to stderr\\n");
  char line[100];
  while (fgets(line, sizeof line, stdin)) printf("in: %s", line);
  printf("tty: %d %d\\n", isatty(0), isatty(1));
  return 7;
}`;

export const FILES = `
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
static void told(const char *what, int result) {
  printf("%s: %s\\n", what, result < 0 ? strerror(errno) : "ok");
}
static void put(const char *path, const char *text) {
  FILE *f = fopen(path, "w");
  told(path, f ? 0 : -1);
  if (f) { fputs(text, f); fclose(f); }
}
static int byName(const void *a, const void *b) { return strcmp(*(char **)a, *(char **)b); }
static void list(const char *path) {
  DIR *d = opendir(path);
  char *names[100]; int n = 0;
  for (struct dirent *e; d && (e = readdir(d)) && n < 100;) names[n++] = strdup(e->d_name);
  if (d) closedir(d);
  qsort(names, n, sizeof *names, byName);
  for (int i = 0; i < n; i++) printf("%s ", names[i]);
  printf("\\n");
}
int main(void) {
  struct stat s;
  char buffer[100] = "";
  told("mkdir", mkdir("d", 0777));
  put("d/one", "one\\n");
  put("/tmp/wasi-absolute", "absolute\\n");
  told("symlink", symlink("one", "d/link"));
  told("readlink", (int)readlink("d/link", buffer, sizeof buffer));
  printf("%s\\n", buffer);
  told("link", link("d/one", "d/two"));
  told("stat", stat("d/link", &s));
  printf("%lld bytes, %d links, file %d\\n", (long long)s.st_size, (int)s.st_nlink, S_ISREG(s.st_mode));
  told("lstat", lstat("d/link", &s));
  printf("link %d\\n", S_ISLNK(s.st_mode));
  told("rename", rename("d/two", "d/three"));
  list("d");
  told("rmdir", rmdir("d"));
  told("unlink d", unlink("d"));
  told("unlink", unlink("d/three"));
  told("truncate", truncate("d/one", 2));
  told("above", open("../etc", O_RDONLY));
  told("through", open("d/../../etc", O_RDONLY));
  told("missing", open("nothing", O_RDONLY));
  told("excl", open("d/one", O_CREAT | O_EXCL | O_WRONLY, 0666));
  told("nofollow", open("d/link", O_RDONLY | O_NOFOLLOW));
  told("readonly", open("/boot/new", O_CREAT | O_WRONLY, 0666));
  int fd = open("d/one", O_RDWR | O_APPEND);
  told("append", (int)write(fd, "xyz", 3));
  told("seek", (int)lseek(fd, 1, SEEK_SET));
  told("read", (int)read(fd, buffer, 100));
  printf("%.4s\\n", buffer);
  told("pread", (int)pread(fd, buffer, 2, 3));
  told("fsync", fsync(fd));
  told("ftruncate", ftruncate(fd, 0));
  fstat(fd, &s);
  printf("%lld\\n", (long long)s.st_size);
  struct timespec times[2] = {{1000000000, 5}, {1234567890, 7}};
  told("utimens", utimensat(AT_FDCWD, "d/one", times, 0));
  told("futimens", futimens(fd, times));
  stat("d/one", &s);
  printf("%lld %ld\\n", (long long)s.st_mtim.tv_sec, s.st_mtim.tv_nsec);
  return 0;
}`;

/** Calls of preview 1 with what they must refuse: a line for each, the errno they answer. */
export const CHECKS = `
#include <stdio.h>
#include <string.h>
#include <wasi/api.h>
#define SAY(what, call) printf("%s %d\\n", what, (int)(call))
#define BAD ((void *)0xfffffff0)
__attribute__((import_module("wasi_snapshot_preview1"), import_name("path_create_directory")))
int make_directory(int fd, const void *path, unsigned length);
int main(void) {
  __wasi_size_t n; __wasi_filesize_t size; __wasi_fd_t fd; __wasi_fdstat_t stat; __wasi_filestat_t fs;
  char b[64]; __wasi_prestat_t pre; __wasi_timestamp_t t; __wasi_event_t event;
  __wasi_ciovec_t good = {(const uint8_t *)"", 0}, wild = {(const uint8_t *)0x7fffffff, 100};
  __wasi_ciovec_t huge = {(const uint8_t *)16, 0xffffffff};
  SAY("iovec array outside", __wasi_fd_write(1, BAD, 1, &n));
  SAY("iovec outside", __wasi_fd_write(1, &wild, 1, &n));
  SAY("iovec too long", __wasi_fd_write(1, &huge, 1, &n));
  SAY("iovecs beyond count", __wasi_fd_write(1, &good, 0x20000000, &n));
  SAY("result outside", __wasi_fd_write(1, &good, 1, BAD));
  SAY("nothing written", __wasi_fd_write(1, &good, 1, &n));
  SAY("no descriptor", __wasi_fd_write(99, &good, 1, &n));
  SAY("huge descriptor", __wasi_fd_close(0xffffffff));
  SAY("path outside", make_directory(4, BAD, 5));
  SAY("path longer than memory", make_directory(4, "x", 0xffffffff));
  SAY("path with nul", make_directory(4, "a\\0b", 3));
  SAY("path empty", make_directory(4, "", 0));
  SAY("random outside", __wasi_random_get(BAD, 100));
  SAY("random longer than memory", __wasi_random_get((uint8_t *)16, 0x80000000));
  SAY("clock unknown", __wasi_clock_time_get(9, 0, &t));
  SAY("clock", __wasi_clock_time_get(0, 0, &t));
  SAY("clock result outside", __wasi_clock_time_get(0, 0, BAD));
  SAY("prestat of a stream", __wasi_fd_prestat_get(1, &pre));
  SAY("prestat", __wasi_fd_prestat_get(3, &pre));
  SAY("prestat name too short", __wasi_fd_prestat_dir_name(3, (uint8_t *)b, 0));
  SAY("seek a pipe", __wasi_fd_seek(1, 0, 0, &size));
  SAY("seek a directory", __wasi_fd_seek(3, 0, 0, &size));
  SAY("whence unknown", __wasi_fd_seek(1, 0, 7, &size));
  SAY("read a directory", __wasi_fd_read(3, (void *)&good, 1, &n));
  SAY("path under a stream", __wasi_path_create_directory(1, "x"));
  SAY("sock", __wasi_sock_shutdown(1, 1));
  SAY("sock bad", __wasi_sock_shutdown(77, 1));
  SAY("poll none", __wasi_poll_oneoff((void *)b, &event, 0, &n));
  SAY("poll outside", __wasi_poll_oneoff(BAD, &event, 1, &n));
  SAY("mkdir", __wasi_path_create_directory(4, "rights"));
  SAY("open dir", __wasi_path_open(4, 0, "rights", __WASI_OFLAGS_DIRECTORY,
    __WASI_RIGHTS_FD_READDIR | __WASI_RIGHTS_PATH_OPEN | __WASI_RIGHTS_FD_FILESTAT_GET,
    __WASI_RIGHTS_FD_READ, 0, &fd));
  SAY("no right to create", __wasi_path_open(fd, 0, "f", __WASI_OFLAGS_CREAT, __WASI_RIGHTS_FD_READ, 0, 0, &n));
  SAY("no right to make", __wasi_path_create_directory(fd, "x"));
  SAY("no right to inherit", __wasi_path_open(fd, 0, "f", 0, __WASI_RIGHTS_FD_WRITE, 0, 0, &n));
  SAY("absent", __wasi_path_open(fd, 0, "f", 0, __WASI_RIGHTS_FD_READ, 0, 0, &n));
  SAY("climb", __wasi_path_open(fd, 0, "../rights", 0, __WASI_RIGHTS_FD_READ, 0, 0, &n));
  SAY("absolute", __wasi_path_open(fd, 0, "/etc", 0, __WASI_RIGHTS_FD_READ, 0, 0, &n));
  SAY("fdstat", __wasi_fd_fdstat_get(fd, &stat));
  SAY("type", stat.fs_filetype);
  SAY("gain rights", __wasi_fd_fdstat_set_rights(fd, ~0ull, 0));
  SAY("give up rights", __wasi_fd_fdstat_set_rights(fd, 0, 0));
  SAY("given up", __wasi_fd_filestat_get(fd, &fs));
  SAY("renumber to nothing", __wasi_fd_renumber(fd, 50));
  SAY("renumber", __wasi_fd_renumber(fd, 0));
  SAY("renumbered", __wasi_fd_close(fd));
  SAY("close", __wasi_fd_close(0));
  SAY("readdir of a stream", __wasi_fd_readdir(1, (uint8_t *)b, 64, 0, &n));
  SAY("symlink absolute", __wasi_path_symlink("/etc", 4, "abs"));
  SAY("advice unknown", __wasi_fd_advise(1, 0, 0, 9));
  return 0;
}`;

export const CHECKS_TOLD = `iovec array outside 21
iovec outside 21
iovec too long 21
iovecs beyond count 28
result outside 21
nothing written 0
no descriptor 8
huge descriptor 8
path outside 21
path longer than memory 21
path with nul 25
path empty 28
random outside 21
random longer than memory 21
clock unknown 28
clock 0
clock result outside 21
prestat of a stream 8
prestat 0
prestat name too short 37
seek a pipe 76
seek a directory 76
whence unknown 76
read a directory 76
path under a stream 54
sock 57
sock bad 8
poll none 28
poll outside 21
mkdir 0
open dir 0
no right to create 76
no right to make 76
no right to inherit 76
absent 44
climb 76
absolute 76
fdstat 0
type 3
gain rights 76
give up rights 0
given up 76
renumber to nothing 8
renumber 0
renumbered 8
close 0
readdir of a stream 76
symlink absolute 76
advice unknown 76
`;

/** Reads a directory by cookies, 80 bytes at a time; waits; grows its memory. */
export const REST = `
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wasi/api.h>
static int entries(void) {
  __wasi_dircookie_t cookie = 0; int count = 0; uint8_t b[80]; __wasi_size_t used = 80;
  while (used == 80) {
    if (__wasi_fd_readdir(4, b, 80, cookie, &used) != 0) return -1;
    for (size_t at = 0; at + 24 <= used;) {
      __wasi_dirent_t e; memcpy(&e, b + at, 24);
      if (at + 24 + e.d_namlen > used) break;
      at += 24 + e.d_namlen; cookie = e.d_next; count++;
    }
  }
  return count;
}
int main(int argc, char **argv) {
  if (strcmp(argv[1], "list") == 0) printf("%d entries\\n", entries());
  if (strcmp(argv[1], "poll") == 0) {
    struct pollfd p = {0, POLLIN, 0};
    printf("%d", poll(&p, 1, 50));
    fflush(stdout);
    printf(" %d %d\\n", poll(&p, 1, 60000), p.revents);
  }
  if (strcmp(argv[1], "sleep") == 0) {
    struct timespec before, after, time = {0, 30000000};
    clock_gettime(CLOCK_MONOTONIC, &before);
    nanosleep(&time, NULL);
    clock_gettime(CLOCK_MONOTONIC, &after);
    long ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
    printf("%s\\n", ms >= 29 ? "slept" : "woke early");
  }
  if (strcmp(argv[1], "eat") == 0) {
    int mib = 0;
    for (volatile char *p; mib < 64 && (p = malloc(1 << 20)); mib++) *p = 1;
    printf("%d MiB\\n", mib);
  }
  if (strcmp(argv[1], "spin") == 0) { puts("spinning"); fflush(stdout); for (volatile int i = 0;; i++); }
  if (strcmp(argv[1], "yes") == 0) for (;;) puts("y");
  if (strcmp(argv[1], "trap") == 0) __builtin_trap();
  return 0;
}`;

/** Calls with arguments from a seed, into and around an arena of its own memory. */
export const FUZZ = `
#include <stdio.h>
#include <stdlib.h>
static unsigned state;
static unsigned next(void) { state ^= state << 13; state ^= state >> 17; return state ^= state << 5; }
static unsigned char arena[1 << 17];
static unsigned P(void) { return next() % 4 ? (unsigned)arena + next() % 8192 : next() | 0x80000000; }
static unsigned L(void) { return next() % 4 ? next() % 300 : next() | 0x80000000; }
static unsigned N(void) { return next() % 4 ? next() % 8 : next(); }
static unsigned F(void) { return next() % 8 ? 2 + next() % 8 : next(); }
static long long Q(void) { return next() % 2 ? next() % 9000 : ((long long)next() << 32) | next(); }
#define CALL(name, ...) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name))) \\
  int name##_(__VA_ARGS__);
CALL(args_get, unsigned,unsigned)
CALL(args_sizes_get, unsigned,unsigned)
CALL(environ_get, unsigned,unsigned)
CALL(clock_time_get, unsigned,long long,unsigned)
CALL(fd_advise, unsigned,long long,long long,unsigned)
CALL(fd_allocate, unsigned,long long,long long)
CALL(fd_datasync, unsigned)
CALL(fd_fdstat_get, unsigned,unsigned)
CALL(fd_fdstat_set_flags, unsigned,unsigned)
CALL(fd_fdstat_set_rights, unsigned,long long,long long)
CALL(fd_filestat_get, unsigned,unsigned)
CALL(fd_filestat_set_size, unsigned,long long)
CALL(fd_filestat_set_times, unsigned,long long,long long,unsigned)
CALL(fd_pread, unsigned,unsigned,unsigned,long long,unsigned)
CALL(fd_prestat_get, unsigned,unsigned)
CALL(fd_prestat_dir_name, unsigned,unsigned,unsigned)
CALL(fd_pwrite, unsigned,unsigned,unsigned,long long,unsigned)
CALL(fd_read, unsigned,unsigned,unsigned,unsigned)
CALL(fd_readdir, unsigned,unsigned,unsigned,long long,unsigned)
CALL(fd_renumber, unsigned,unsigned)
CALL(fd_seek, unsigned,long long,unsigned,unsigned)
CALL(fd_tell, unsigned,unsigned)
CALL(fd_write, unsigned,unsigned,unsigned,unsigned)
CALL(path_create_directory, unsigned,unsigned,unsigned)
CALL(path_filestat_get, unsigned,unsigned,unsigned,unsigned,unsigned)
CALL(path_filestat_set_times, unsigned,unsigned,unsigned,unsigned,long long,long long,unsigned)
CALL(path_link, unsigned,unsigned,unsigned,unsigned,unsigned,unsigned,unsigned)
CALL(path_open, unsigned,unsigned,unsigned,unsigned,unsigned,long long,long long,unsigned,unsigned)
CALL(path_readlink, unsigned,unsigned,unsigned,unsigned,unsigned,unsigned)
CALL(path_remove_directory, unsigned,unsigned,unsigned)
CALL(path_rename, unsigned,unsigned,unsigned,unsigned,unsigned,unsigned)
CALL(path_symlink, unsigned,unsigned,unsigned,unsigned,unsigned)
CALL(path_unlink_file, unsigned,unsigned,unsigned)
CALL(random_get, unsigned,unsigned)
CALL(sock_recv, unsigned,unsigned,unsigned,unsigned,unsigned,unsigned)
CALL(fd_close, unsigned)
int main(int argc, char **argv) {
  state = atoi(argv[1]) | 1;
  for (int i = 0; i < 8192; i++) arena[i] = "ab/.. \\1\\2\\0\\0\\0\\0"[next() % 13];
  for (int i = 0; i < 5000; i++) switch (next() % 36) {
    case 0: args_get_(P(), P()); break;
    case 1: args_sizes_get_(P(), P()); break;
    case 2: environ_get_(P(), P()); break;
    case 3: clock_time_get_(N(), Q(), P()); break;
    case 4: fd_advise_(F(), Q(), Q(), N()); break;
    case 5: fd_allocate_(F(), Q(), Q()); break;
    case 6: fd_datasync_(F()); break;
    case 7: fd_fdstat_get_(F(), P()); break;
    case 8: fd_fdstat_set_flags_(F(), N()); break;
    case 9: fd_fdstat_set_rights_(F(), Q(), Q()); break;
    case 10: fd_filestat_get_(F(), P()); break;
    case 11: fd_filestat_set_size_(F(), Q()); break;
    case 12: fd_filestat_set_times_(F(), Q(), Q(), N()); break;
    case 13: fd_pread_(F(), P(), N(), Q(), P()); break;
    case 14: fd_prestat_get_(F(), P()); break;
    case 15: fd_prestat_dir_name_(F(), P(), L()); break;
    case 16: fd_pwrite_(F(), P(), N(), Q(), P()); break;
    case 17: fd_read_(F(), P(), N(), P()); break;
    case 18: fd_readdir_(F(), P(), L(), Q(), P()); break;
    case 19: fd_renumber_(F(), F()); break;
    case 20: fd_seek_(F(), Q(), N(), P()); break;
    case 21: fd_tell_(F(), P()); break;
    case 22: fd_write_(F(), P(), N(), P()); break;
    case 23: path_create_directory_(F(), P(), L()); break;
    case 24: path_filestat_get_(F(), N(), P(), L(), P()); break;
    case 25: path_filestat_set_times_(F(), N(), P(), L(), Q(), Q(), N()); break;
    case 26: path_link_(F(), N(), P(), L(), F(), P(), L()); break;
    case 27: path_open_(F(), N(), P(), L(), N(), Q(), Q(), N(), P()); break;
    case 28: path_readlink_(F(), P(), L(), P(), L(), P()); break;
    case 29: path_remove_directory_(F(), P(), L()); break;
    case 30: path_rename_(F(), P(), L(), F(), P(), L()); break;
    case 31: path_symlink_(P(), L(), F(), P(), L()); break;
    case 32: path_unlink_file_(F(), P(), L()); break;
    case 33: random_get_(P(), L()); break;
    case 34: sock_recv_(F(), P(), N(), N(), P(), P()); break;
    case 35: fd_close_(F()); break;
  }
  return 9;
}`;
