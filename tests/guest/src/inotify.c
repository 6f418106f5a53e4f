// inotify: what each call on files tells those that watch. Everything happens in a fresh directory; output names no inode.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static int in;
static char dir[128];

static const struct { unsigned bit; const char *name; } NAMES[] = {
    {IN_ACCESS, "ACCESS"}, {IN_MODIFY, "MODIFY"}, {IN_ATTRIB, "ATTRIB"}, {IN_CLOSE_WRITE, "CLOSE_WRITE"},
    {IN_CLOSE_NOWRITE, "CLOSE_NOWRITE"}, {IN_OPEN, "OPEN"}, {IN_MOVED_FROM, "MOVED_FROM"}, {IN_MOVED_TO, "MOVED_TO"},
    {IN_CREATE, "CREATE"}, {IN_DELETE, "DELETE"}, {IN_DELETE_SELF, "DELETE_SELF"}, {IN_MOVE_SELF, "MOVE_SELF"},
    {IN_Q_OVERFLOW, "Q_OVERFLOW"}, {IN_IGNORED, "IGNORED"}, {IN_ISDIR, "ISDIR"}};

// Prints and takes all events that are there. Cookies are numbered as they appear.
static void events(const char *title) {
  static char buffer[65536] __attribute__((aligned(8)));
  unsigned cookies[64], known = 0;
  printf("-- %s\n", title);
  for (;;) {
    ssize_t n = read(in, buffer, sizeof buffer);
    if (n < 0) {
      if (errno != EAGAIN) printf("read: %s\n", strerror(errno));
      return;
    }
    for (char *p = buffer; p < buffer + n;) {
      struct inotify_event *e = (void *)p;
      printf("%d", e->wd);
      unsigned rest = e->mask;
      for (unsigned i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (e->mask & NAMES[i].bit) { printf(" %s", NAMES[i].name); rest &= ~NAMES[i].bit; }
      if (rest) printf(" %#x", rest);
      if (e->cookie) {
        unsigned c = 0;
        while (c < known && cookies[c] != e->cookie) c++;
        if (c == known) cookies[known++] = e->cookie;
        printf(" cookie%u", c);
      }
      if (e->len) printf(" '%s' (%u)", e->name, e->len);
      printf("\n");
      p += sizeof *e + e->len;
    }
  }
}

static const char *in_dir(const char *name) {
  static char paths[4][256];
  static int next;
  char *p = paths[next++ & 3];
  snprintf(p, 256, "%s/%s", dir, name);
  return p;
}

static void put(const char *name, const char *text) {
  int fd = open(in_dir(name), O_CREAT | O_WRONLY | O_TRUNC, 0644);
  if (write(fd, text, strlen(text)) < 0) perror("write");
  close(fd);
}

static void result(const char *title, int r) {
  if (r < 0) printf("%s: %s\n", title, strerror(errno));
  else printf("%s: %d\n", title, r);
}

static void errors(void) {
  int file = open(in_dir("plain"), O_CREAT | O_RDWR, 0600);
  result("no bits", inotify_add_watch(in, dir, 0));
  result("bad bits", inotify_add_watch(in, dir, 0x00800000 | IN_OPEN));
  result("no inotify", inotify_add_watch(file, dir, IN_OPEN));
  result("bad descriptor", inotify_add_watch(-1, dir, IN_OPEN));
  result("not there", inotify_add_watch(in, in_dir("nothing"), IN_OPEN));
  result("onlydir", inotify_add_watch(in, in_dir("plain"), IN_OPEN | IN_ONLYDIR));
  result("add and create", inotify_add_watch(in, dir, IN_OPEN | IN_MASK_ADD | IN_MASK_CREATE));
  result("bad path", inotify_add_watch(in, (char *)8, IN_OPEN));
  result("rm unknown", inotify_rm_watch(in, 77));
  result("rm no inotify", inotify_rm_watch(file, 1));
  result("init flags", inotify_init1(1));
  result("write", write(in, "x", 1));
  result("pread", pread(in, dir, 10, 0));
  close(file);
  unlink(in_dir("plain"));
  char link[64] = "", path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", in);
  if (readlink(path, link, sizeof link - 1) < 0) perror("readlink");
  printf("%s\n", link);
}

static void in_directory(void) {
  int wd = inotify_add_watch(in, dir, IN_ALL_EVENTS);
  printf("watch %d again %d\n", wd, inotify_add_watch(in, dir, IN_ALL_EVENTS));
  events("nothing yet");
  put("a", "hello");
  events("create");
  put("a", "more");
  events("truncate and write");
  char text[8];
  int fd = open(in_dir("a"), O_RDONLY);
  read(fd, text, 3);
  read(fd, text, 8);
  read(fd, text, 8);
  close(fd);
  events("read");
  fd = open(in_dir("a"), O_RDWR | O_APPEND);
  int twin = dup(fd);
  close(fd);
  events("duplicate is open");
  write(twin, "x", 1);
  ftruncate(twin, 2);
  fchmod(twin, 0600);
  fsync(twin);
  close(twin);
  events("fd calls");
  chmod(in_dir("a"), 0644);
  events("chmod");
  chown(in_dir("a"), -1, getgid());
  events("chown");
  truncate(in_dir("a"), 1);
  events("truncate");
  utimes(in_dir("a"), NULL);
  events("utimes");
  struct timespec one[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 5}}, other[2] = {{.tv_sec = 5}, {.tv_nsec = UTIME_OMIT}};
  utimensat(AT_FDCWD, in_dir("a"), one, 0);
  events("mtime alone");
  utimensat(AT_FDCWD, in_dir("a"), other, 0);
  events("atime alone");
  link(in_dir("a"), in_dir("b"));
  events("link");
  symlink("a", in_dir("c"));
  events("symlink");
  close(open(in_dir("c"), O_RDONLY));
  events("open through it");
  mkdir(in_dir("sub"), 0755);
  events("mkdir");
  mkfifo(in_dir("fifo"), 0600);
  events("mkfifo");
  put("sub/deep", "not seen");
  events("below");
  DIR *d = opendir(in_dir("sub"));
  while (readdir(d)) ;
  closedir(d);
  events("list sub");
  rename(in_dir("a"), in_dir("a-much-longer-name"));
  events("rename");
  rename(in_dir("sub"), in_dir("sub2"));
  events("rename of a directory");
  rename(in_dir("b"), in_dir("c"));
  events("rename over");
  put("d", "d");
  events("another file");
  syscall(SYS_renameat2, AT_FDCWD, in_dir("d"), AT_FDCWD, in_dir("fifo"), 2 /* RENAME_EXCHANGE */);
  events("exchange");
  unlink(in_dir("c"));
  events("unlink");
  unlink(in_dir("sub2/deep"));
  rmdir(in_dir("sub2"));
  events("rmdir");
  fd = open(in_dir("d"), O_RDWR | O_NONBLOCK);
  unlink(in_dir("d"));
  events("unlink open");
  close(fd);
  events("close");
  unlink(in_dir("fifo"));
  unlink(in_dir("a-much-longer-name"));
  events("last unlinks");
  close(open(dir, O_PATH));
  events("O_PATH");
  fd = open(dir, O_RDONLY);
  close(fd);
  events("directory itself");
  chmod(dir, 0750);
  events("chmod of it");
  result("rm", inotify_rm_watch(in, wd));
  events("removed");
}

static void on_file(void) {
  put("f", "text");
  int wd = inotify_add_watch(in, in_dir("f"), IN_ALL_EVENTS);
  printf("watch %d\n", wd);
  char text[8];
  int fd = open(in_dir("f"), O_RDWR);
  read(fd, text, 1);
  read(fd, text, 1);
  write(fd, "x", 1);
  write(fd, "x", 1);
  fallocate(fd, 0, 0, 100);
  events("use");
  rename(in_dir("f"), in_dir("g"));
  events("rename");
  link(in_dir("g"), in_dir("h"));
  unlink(in_dir("h"));
  events("link and unlink");
  unlink(in_dir("g"));
  events("unlink while open");
  close(fd);
  events("close");
  put("f", "text");
  put("g", "text");
  inotify_add_watch(in, in_dir("f"), IN_ALL_EVENTS);
  rename(in_dir("g"), in_dir("f"));
  events("replaced");
  inotify_add_watch(in, in_dir("f"), IN_ALL_EVENTS);
  unlink(in_dir("f"));
  events("unlinked");
  mkdir(in_dir("sub"), 0700);
  inotify_add_watch(in, in_dir("sub"), IN_ALL_EVENTS);
  rename(in_dir("sub"), in_dir("sub2"));
  rmdir(in_dir("sub2"));
  events("directory");
}

static void both(void) {
  put("f", "text");
  inotify_add_watch(in, dir, IN_MODIFY | IN_ATTRIB | IN_DELETE | IN_MOVE | IN_MOVE_SELF);
  inotify_add_watch(in, in_dir("f"), IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF);
  int fd = open(in_dir("f"), O_WRONLY);
  write(fd, "x", 1);
  close(fd);
  chmod(in_dir("f"), 0600);
  rename(in_dir("f"), in_dir("g"));
  events("directory and file");
  unlink(in_dir("g"));
  events("unlink");
  inotify_rm_watch(in, inotify_add_watch(in, dir, IN_OPEN));
  events("rm");
}

static void masks(void) {
  int wd = inotify_add_watch(in, dir, IN_CREATE);
  result("create, is there", inotify_add_watch(in, dir, IN_OPEN | IN_MASK_CREATE));
  put("m", "1");
  events("create alone");
  inotify_add_watch(in, dir, IN_CLOSE_WRITE | IN_MASK_ADD);
  put("m", "1");
  unlink(in_dir("m"));
  put("m", "1");
  events("and close_write");
  inotify_add_watch(in, dir, IN_DELETE);
  put("n", "1");
  unlink(in_dir("n"));
  events("delete alone");
  inotify_rm_watch(in, wd);
  inotify_add_watch(in, dir, IN_OPEN | IN_ONESHOT);
  put("m", "1");
  put("m", "1");
  events("oneshot");
  wd = inotify_add_watch(in, dir, IN_ALL_EVENTS | IN_EXCL_UNLINK);
  int fd = open(in_dir("m"), O_RDWR);
  unlink(in_dir("m"));
  write(fd, "x", 1);
  close(fd);
  events("excl_unlink");
  symlink(".", in_dir("self"));
  result("link", inotify_add_watch(in, in_dir("self"), IN_ALL_EVENTS | IN_DONT_FOLLOW) > wd);
  result("dont_follow onlydir", inotify_add_watch(in, in_dir("self"), IN_OPEN | IN_DONT_FOLLOW | IN_ONLYDIR));
  result("followed", inotify_add_watch(in, in_dir("self"), IN_DELETE) == wd);
  unlink(in_dir("self"));
  events("unlink link");
  inotify_rm_watch(in, wd);
  events("done");
}

static void reading(void) {
  int wd = inotify_add_watch(in, dir, IN_CREATE | IN_DELETE);
  int ep = epoll_create1(0);
  struct epoll_event ev = {.events = EPOLLIN | EPOLLET};
  epoll_ctl(ep, EPOLL_CTL_ADD, in, &ev);
  printf("epoll %d\n", epoll_wait(ep, &ev, 1, 0));
  put("one", "");
  put("two-long-enough-for-32", "");
  int bytes = 0;
  ioctl(in, FIONREAD, &bytes);
  struct pollfd p = {in, POLLIN | POLLOUT, 0};
  int polled = poll(&p, 1, 0), first = epoll_wait(ep, &ev, 1, 0), second = epoll_wait(ep, &ev, 1, 0);
  printf("bytes %d poll %d %#x epoll %d then %d\n", bytes, polled, p.revents, first, second);
  char small[40];
  result("too small", read(in, small, 16));
  result("one", read(in, small, 40));
  result("too small", read(in, small, 40));
  events("rest");
  unlink(in_dir("one"));
  printf("epoll %d\n", epoll_wait(ep, &ev, 1, 0));
  unlink(in_dir("two-long-enough-for-32"));
  events("unlinked");
  // A blocking read that another process ends.
  fcntl(in, F_SETFL, 0);
  pid_t child = fork();
  if (child == 0) {
    put("by-child", "");
    _exit(0);
  }
  struct { struct inotify_event e; char name[64]; } got;
  result("blocking read", read(in, &got, sizeof got));
  printf("'%s' wd %d\n", got.name, got.e.wd == wd);
  waitpid(child, NULL, 0);
  fcntl(in, F_SETFL, O_NONBLOCK);
  unlink(in_dir("by-child"));
  // What a child that shares the descriptor takes is gone.
  child = fork();
  if (child == 0) {
    events("child");
    fflush(stdout);
    _exit(0);
  }
  waitpid(child, NULL, 0);
  events("parent");
  close(ep);
  inotify_rm_watch(in, wd);
  events("done");
}

static void overflow(void) {
  int many = inotify_init1(IN_NONBLOCK);
  int limit = 16384;
  FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
  if (f != NULL) {
    if (fscanf(f, "%d", &limit) != 1) limit = 0;
    fclose(f);
  }
  put("x", "");
  put("y", "");
  inotify_add_watch(many, in_dir("x"), IN_ATTRIB);
  inotify_add_watch(many, in_dir("y"), IN_ATTRIB);
  int x = open(in_dir("x"), O_RDONLY), y = open(in_dir("y"), O_RDONLY);
  for (int i = 0; i <= limit / 2 + 5; i++) {
    fchmod(x, 0600 + (i & 1));
    fchmod(y, 0600 + (i & 1));
  }
  static struct inotify_event e[1024];
  long count = 0, last = 0;
  ssize_t n;
  while ((n = read(many, e, sizeof e)) > 0) {
    count += n / sizeof *e;
    last = n / sizeof *e - 1;
  }
  printf("all of them %d, last: wd %d mask %#x\n", count == limit + 1, e[last].wd, e[last].mask);
  close(x);
  close(y);
  unlink(in_dir("x"));
  unlink(in_dir("y"));
  close(many);
}

static void info(void) {
  int own = inotify_init();
  inotify_add_watch(own, dir, IN_CREATE | IN_ONLYDIR);
  char path[64], line[256];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", own);
  FILE *f = fopen(path, "r");
  struct stat st;
  stat(dir, &st);
  while (f != NULL && fgets(line, sizeof line, f)) {
    unsigned wd, mask;
    unsigned long ino, dev;
    if (sscanf(line, "inotify wd:%x ino:%lx sdev:%lx mask:%x", &wd, &ino, &dev, &mask) == 4)
      printf("wd %u ino %d mask %#x\n", wd, ino == st.st_ino, mask);
  }
  if (f != NULL) fclose(f);
  close(own);
}

int main(void) {
  snprintf(dir, sizeof dir, "%s/lift64-inotify-%d", getenv("WHERE") ? getenv("WHERE") : "/tmp", (int)getpid());
  mkdir(dir, 0755);
  in = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  printf("flags %#x %d\n", fcntl(in, F_GETFL), fcntl(in, F_GETFD));
  setvbuf(stdout, NULL, _IOLBF, 0);
  errors();
  in_directory();
  on_file();
  both();
  masks();
  reading();
  overflow();
  info();
  unlink(in_dir("by-child"));
  rmdir(dir);
  return 0;
}
