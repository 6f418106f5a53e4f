/* execve: what the new program gets and what of the old one stays; errors that leave the caller as it was; scripts;
   vfork and posix_spawn; threads that are there when one of them execs. Runs itself under other names and with other
   arguments. usage: exec DIRECTORY (empty, writable). Source: execve(2), posix_spawn(3), vfork(2). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static char self[4096];

static const char *yes(int condition) { return condition ? "yes" : "no"; }

static void show(int argc, char **argv) {
  char comm[17] = "", link[4096] = "";
  printf("  argc %d:", argc);
  for (int i = 0; i < argc; i++)
    printf(" [%s]", strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i]);
  printf("\n  environment:");
  for (char **e = environ; *e; e++)
    printf(" [%s]", *e);
  prctl(PR_GET_NAME, comm);
  readlink("/proc/self/exe", link, sizeof link - 1);
  const char *execfn = (const char *)getauxval(AT_EXECFN);
  printf("\n  comm %s, exe is the program %s, AT_EXECFN ends in %s\n", comm, yes(strcmp(link, self) == 0),
         strrchr(execfn, '/') ? strrchr(execfn, '/') + 1 : execfn);
  struct sigaction usr1, usr2;
  sigaction(SIGUSR1, NULL, &usr1);
  sigaction(SIGUSR2, NULL, &usr2);
  sigset_t mask, pending;
  sigprocmask(SIG_BLOCK, NULL, &mask);
  sigpending(&pending);
  stack_t stack;
  sigaltstack(NULL, &stack);
  printf("  caught signal is default %s, ignored stays ignored %s, mask kept %s, pending kept %s, no alternate stack %s\n",
         yes(usr1.sa_handler == SIG_DFL), yes(usr2.sa_handler == SIG_IGN), yes(sigismember(&mask, SIGHUP)),
         yes(sigismember(&pending, SIGHUP)), yes(stack.ss_flags & SS_DISABLE));
  printf("  descriptor 20 open %s, 21 closed %s\n", yes(fcntl(20, F_GETFD) >= 0), yes(fcntl(21, F_GETFD) < 0));
}

static void handler(int signal) { (void)signal; }

static int wait_for(pid_t pid) {
  int status;
  return waitpid(pid, &status, 0) == pid ? status : -1;
}

static void *exec_here(void *argument) {
  execl(self, "from-thread", "tid", argument, (char *)NULL);
  return NULL;
}

static void *spin(void *argument) {
  (void)argument;
  for (;;)
    ;
  return NULL;
}

static void error(const char *what, const char *path) {
  char *argv[] = {"x", NULL};
  int result = execve(path, argv, environ);
  printf("%s: %d %s\n", what, result, strerrorname_np(errno));
}

static void make(const char *path, const char *text, int mode) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
  write(fd, text, strlen(text));
  close(fd);
}

static void run(const char *title, const char *path, char **argv) {
  printf("%s\n", title);
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    execv(path, argv);
    printf("  failed: %s\n", strerrorname_np(errno));
    fflush(stdout);
    _exit(99);
  }
  printf("  status %x\n", wait_for(pid));
}

int main(int argc, char **argv) {
  readlink("/proc/self/exe", self, sizeof self - 1);
  if (argc > 1 && strcmp(argv[1], "tid") == 0) {
    char text[32];
    sprintf(text, "%d", getpid());
    return strcmp(text, argv[2]) == 0 && gettid() == getpid() ? 33 : 34;
  }
  if (argc > 1 && strcmp(argv[1], "show") == 0) {
    show(argc, argv);
    return 5;
  }
  if (argc < 2 || chdir(argv[1]) != 0) {
    show(argc, argv);
    return 7;
  }
  if (fork() == 0) {
    static char stack[65536];
    stack_t alternate = {stack, 0, sizeof stack};
    sigaltstack(&alternate, NULL);
    signal(SIGUSR1, handler);
    signal(SIGUSR2, SIG_IGN);
    sigset_t hup;
    sigemptyset(&hup);
    sigaddset(&hup, SIGHUP);
    sigprocmask(SIG_BLOCK, &hup, NULL);
    raise(SIGHUP);
    dup2(1, 20);
    dup3(1, 21, O_CLOEXEC);
    char *arguments[] = {"name", "show", "two words", "", NULL}, *environment[] = {"A=1", "B=", NULL};
    printf("execve\n");
    fflush(stdout);
    execve(self, arguments, environment);
    _exit(99);
  }
  int status;
  wait(&status);
  printf("  status %x\n", status);

  make("text", "echo no program\n", 0755);
  make("no-permission", "#!/bin/sh\n", 0644);
  make("elf", "\177ELF and nothing else", 0755);
  make("no-interpreter", "#!/no/such/program\n", 0755);
  mkdir("directory", 0755);
  symlink("loop", "loop");
  error("missing", "missing");
  error("in a file", "text/x");
  error("directory", "directory");
  error("without permission", "no-permission");
  error("text without #!", "text");
  error("damaged", "elf");
  error("script without its interpreter", "no-interpreter");
  error("symbolic links in a circle", "loop");
  error("empty path", "");
  error("bad address", (char *)16);
  char *large = malloc(200000);
  memset(large, 'x', 199999);
  large[199999] = 0;
  char *too_long[] = {"x", large, NULL};
  int refused = execve(self, too_long, environ);
  printf("string too long: %d %s\n", refused, strerrorname_np(errno));

  clearenv();
  setenv("E", "kept", 1);
  char line[5000];
  sprintf(line, "#! %s  show an argument \nrest is not read\n", self);
  make("script", line, 0755);
  run("script", "./script", (char *[]){"zero", "one", "two", NULL});
  make("script2", "#!./script\n", 0755);
  run("script of a script", "./script2", (char *[]){"zero", "one", NULL});
  make("sh", "#!/bin/sh\necho \"  from sh: $0 $1 $#\"; exit 3\n", 0755);
  run("sh", "./sh", (char *[]){"zero", "one", NULL});
  run("no arguments", self, (char *[]){NULL});

  volatile int shared = 1;
  fflush(stdout);
  pid_t pid = vfork();
  if (pid == 0) {
    shared = 2;
    execl(self, "vforked", "show", (char *)NULL);
    _exit(99);
  }
  status = wait_for(pid);
  printf("vfork: shared %d, status %x\n", shared, status);
  pid = vfork();
  if (pid == 0) {
    execl("missing", "x", (char *)NULL);
    shared = errno;
    _exit(6);
  }
  status = wait_for(pid);
  printf("vfork: error %s, status %x\n", strerrorname_np(shared), status);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "spawned", O_WRONLY | O_CREAT, 0600);
  int result = posix_spawn(&pid, "/bin/echo", &actions, NULL, (char *[]){"echo", "to", "a", "file", NULL}, environ);
  status = wait_for(pid);
  FILE *file = fopen("spawned", "r");
  fgets(line, sizeof line, file);
  printf("posix_spawn: %d, status %x, %s", result, status, line);
  printf("posix_spawn of a missing program: %s\n",
         strerrorname_np(posix_spawn(&pid, "missing", NULL, NULL, (char *[]){"x", NULL}, environ)));

  for (int from_main = 0; from_main < 2; from_main++) {
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
      pthread_t thread;
      char id[32];
      sprintf(id, "%d", getpid());
      for (int i = 0; i < 3; i++)
        pthread_create(&thread, NULL, spin, NULL);
      if (from_main)
        exec_here(id);
      pthread_create(&thread, NULL, exec_here, id);
      pthread_join(thread, NULL);
      _exit(99);
    }
    printf("exec in %s thread among others: status %x\n", from_main ? "the first" : "another", wait_for(pid));
  }
  return 0;
}
