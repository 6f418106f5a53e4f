/* Benchmark: rate of processes. KIND fork: fork, exit and wait; spawn: posix_spawn of this program with nothing to do.
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv) {
  int repeat = argc > 1 ? atoi(argv[1]) : 1;
  int spawns = argc > 2 && strcmp(argv[2], "spawn") == 0;
  int sum = 0;
  if (repeat == 0)
    return 7;
  for (int r = 0; r < repeat; r++) {
    pid_t child;
    int status = 0;
    if (spawns) {
      char *arguments[] = {argv[0], "0", NULL};
      if (posix_spawn(&child, argv[0], NULL, NULL, arguments, environ) != 0)
        return 1;
    } else {
      child = fork();
      if (child == 0)
        _exit(7);
    }
    if (waitpid(child, &status, 0) == child)
      sum += WEXITSTATUS(status);
  }
  printf("processes %s %d: %d\n", spawns ? "spawn" : "fork", repeat, sum);
  return 0;
}
