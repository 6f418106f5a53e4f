/* Benchmark: an open-addressing hash table: insert, look up, delete by backward shift. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BITS = 16, SIZE = 1 << BITS, MASK = SIZE - 1, KEYS = SIZE * 5 / 8 };

struct entry {
  uint64_t key; /* 0: free */
  uint64_t value;
};

static struct entry table[SIZE];

static uint32_t place(uint64_t key) { return (uint32_t)(key * 0x9e3779b97f4a7c15ull >> (64 - BITS)); }

static void insert(uint64_t key, uint64_t value) {
  uint32_t i = place(key);
  while (table[i].key != 0 && table[i].key != key)
    i = (i + 1) & MASK;
  table[i].key = key;
  table[i].value = value;
}

static const struct entry *find(uint64_t key) {
  for (uint32_t i = place(key); table[i].key != 0; i = (i + 1) & MASK)
    if (table[i].key == key)
      return &table[i];
  return NULL;
}

static int delete (uint64_t key) {
  uint32_t hole = place(key);
  while (table[hole].key != key) {
    if (table[hole].key == 0)
      return 0;
    hole = (hole + 1) & MASK;
  }
  for (uint32_t i = (hole + 1) & MASK; table[i].key != 0; i = (i + 1) & MASK) {
    uint32_t home = place(table[i].key);
    if (((i - home) & MASK) >= ((i - hole) & MASK)) {
      table[hole] = table[i];
      hole = i;
    }
  }
  table[hole].key = 0;
  return 1;
}

int main(int argc, char **argv) {
  int repeat = argc > 1 ? atoi(argv[1]) : 200;
  uint64_t sum = 0;
  for (int r = 0; r < repeat; r++) {
    memset(table, 0, sizeof table);
    uint64_t x = 88172645463325252ull + (uint64_t)r;
    for (int i = 0; i < KEYS; i++) {
      x ^= x << 13;
      x ^= x >> 7;
      x ^= x << 17;
      insert((x & 0xfffff) + 1, (uint64_t)i);
    }
    uint64_t found = 0, deleted = 0;
    for (uint64_t key = 1; key < 100000; key += 2) {
      const struct entry *entry = find(key);
      if (entry != NULL)
        found += entry->value;
    }
    for (uint64_t key = 1; key < 100000; key += 3)
      deleted += (uint64_t) delete (key);
    for (uint64_t key = 2; key < 100000; key += 5)
      found += find(key) != NULL;
    sum = (sum * 31 + found) * 31 + deleted;
  }
  printf("hashtable %d: %016llx\n", repeat, (unsigned long long)sum);
  return 0;
}
