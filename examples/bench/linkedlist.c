/* Benchmark: linked lists: build, walk in shuffled memory order, reverse in place, merge sort. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { NODES = 8192 };

struct node {
  struct node *next;
  uint32_t key;
  uint32_t weight;
};

static struct node nodes[NODES];

static struct node *merge(struct node *a, struct node *b) {
  struct node head = {NULL, 0, 0}, *tail = &head;
  while (a != NULL && b != NULL) {
    struct node **least = a->key <= b->key ? &a : &b;
    tail->next = *least;
    tail = *least;
    *least = (*least)->next;
  }
  tail->next = a != NULL ? a : b;
  return head.next;
}

static struct node *sort(struct node *list) {
  if (list == NULL || list->next == NULL)
    return list;
  struct node *slow = list, *fast = list->next;
  while (fast != NULL && fast->next != NULL) {
    slow = slow->next;
    fast = fast->next->next;
  }
  struct node *second = slow->next;
  slow->next = NULL;
  return merge(sort(list), sort(second));
}

static struct node *reverse(struct node *list) {
  struct node *done = NULL;
  while (list != NULL) {
    struct node *next = list->next;
    list->next = done;
    done = list;
    list = next;
  }
  return done;
}

int main(int argc, char **argv) {
  int repeat = argc > 1 ? atoi(argv[1]) : 120;
  uint64_t sum = 0;
  uint32_t x = 1;
  for (int r = 0; r < repeat; r++) {
    struct node *list = NULL;
    for (uint32_t i = 0; i < NODES; i++) {
      struct node *node = &nodes[i * 2053 & (NODES - 1)];
      x = x * 1103515245u + 12345u;
      node->key = x >> 8;
      node->weight = i;
      node->next = list;
      list = node;
    }
    for (int walk = 0; walk < 100; walk++)
      for (const struct node *node = list; node != NULL; node = node->next)
        sum += node->key ^ node->weight;
    list = reverse(list);
    list = sort(list);
    uint32_t position = 0;
    for (const struct node *node = list; node != NULL; node = node->next)
      sum = sum * 3 + node->key * ++position;
  }
  printf("linkedlist %d: %016llx\n", repeat, (unsigned long long)sum);
  return 0;
}
