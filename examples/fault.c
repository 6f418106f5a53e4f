/* Dies by SIGSEGV: a few calls deep, a write through a pointer that was never set. The last line that it prints is out
   before the fault, so both the output and the way of dying can be compared. */
#include <stdint.h>
#include <stdio.h>

struct node {
  struct node *next;
  int value;
};

/* volatile, so that the compiler can neither see the value nor drop the store */
static struct node *volatile wild = (struct node *)(uintptr_t)0x00000000deadbee8;

__attribute__((noinline)) static void store_value(struct node *node, int value) { node->value = value; }

__attribute__((noinline)) static void update(int value) {
  store_value(wild, value);
  puts("not reached");
}

int main(void) {
  puts("about to write through a wild pointer");
  fflush(stdout);
  update(42);
  return 0;
}
