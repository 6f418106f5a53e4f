/* The smallest stdio program: a banner, the arguments, and a line on stderr. */
#include <stdio.h>

int main(int argc, char **argv) {
  printf("Hello from an x86-64 guest, %d argument%s\n", argc - 1, argc == 2 ? "" : "s");
  for (int i = 1; i < argc; i++)
    printf("  %d: %s\n", i, argv[i]);
  fputs("(and this line is on stderr)\n", stderr);
  return 0;
}
