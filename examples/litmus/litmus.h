/* Harness of the litmus tests: runs N threads over arrays of slots, millions of rounds in seconds.

   A round is one slot: each thread runs its few accesses once on the slot's locations and keeps what it loaded. The
   locations of a slot stand on cache lines of their own. Slots are run in batches between barriers; within a batch the
   threads meet every few slots by a soft rendezvous (a bounded spin, so that a descheduled partner stops no one), and a
   short delay that changes from slot to slot lets now one, now the other be a little ahead. Between batches the first
   thread tallies the outcomes and clears the locations.

   The accesses are inline assembly, one instruction each, so that no compiler reorders or merges them.
   Method: batched arrays as in the litmus tools of Alglave, Maranget, Sarkar, Sewell ("Litmus: running tests against
   hardware", TACAS 2011). */
#ifndef LITMUS_H
#define LITMUS_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SLOTS = 1024, MAX_THREADS = 4, MAX_RESULTS = 4, MAX_VALUE = 3, LINE = 64 };

struct location {
  volatile uint32_t value;
  char padding[LINE - sizeof(uint32_t)];
};

/* One round's locations, all 0 when it starts. */
struct slot {
  struct location x, y, lock;
};

struct test;
typedef void body(struct slot *slot, uint32_t *loaded);

struct test {
  const char *name;    /* as on the command line */
  const char *summary; /* the program in short, threads separated by || */
  int threads;         /* 2 to 4 */
  body *bodies[MAX_THREADS];
  int loads[MAX_THREADS];            /* how many results each thread has: r0, r1, ... in the order of the threads */
  int finals;                        /* further results: 1: the final value of x; 2: those of x and y */
  int (*relaxed)(const uint32_t *r); /* the outcome of interest */
  int forbidden;                     /* 1: x86-TSO forbids it; 0: it allows it */
};

#define STORE(location, constant) __asm__ volatile("movl %1, %0" : "=m"((location).value) : "i"(constant) : "memory")
#define LOAD(target, location) __asm__ volatile("movl %1, %0" : "=r"(target) : "m"((location).value) : "memory")
#define MFENCE() __asm__ volatile("mfence" : : : "memory")
#define LOCKED_ADD() __asm__ volatile("lock addl $0, (%%rsp)" : : : "memory", "cc")
#define EXCHANGE(location, constant)                                                                                   \
  do {                                                                                                                 \
    uint32_t old_ = (constant);                                                                                        \
    __asm__ volatile("xchgl %0, %1" : "+r"(old_), "+m"((location).value) : : "memory");                                \
  } while (0)

static struct slot slots[SLOTS] __attribute__((aligned(LINE)));
static uint32_t loaded[MAX_THREADS][SLOTS][MAX_RESULTS] __attribute__((aligned(LINE)));
static const struct test *running;
static long batches;
static unsigned long tally[MAX_VALUE * MAX_VALUE * MAX_VALUE * MAX_VALUE];

/* The threads' places within a batch, each on its own line. */
static struct location places[MAX_THREADS] __attribute__((aligned(LINE)));

static struct {
  uint32_t waiting __attribute__((aligned(LINE)));
  uint32_t generation __attribute__((aligned(LINE)));
  uint32_t sleepers __attribute__((aligned(LINE)));
} barrier;

/* How long a thread waits for its partners in a batch: at its start they may still be waking up, which takes longest in
   an emulator; later on one that is late has been descheduled. */
enum { FIRST_TURNS = 20000, TURNS = 400 };

static inline void pause_cpu(void) { __asm__ volatile("pause" : : : "memory"); }

/* Spins for a while, then sleeps on a futex: with more threads than CPUs spinning alone would waste whole time slices.
 */
static void barrier_wait(int threads) {
  uint32_t generation = __atomic_load_n(&barrier.generation, __ATOMIC_SEQ_CST);
  if (__atomic_add_fetch(&barrier.waiting, 1, __ATOMIC_SEQ_CST) == (uint32_t)threads) {
    __atomic_store_n(&barrier.waiting, 0, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&barrier.generation, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&barrier.sleepers, __ATOMIC_SEQ_CST) != 0)
      syscall(SYS_futex, &barrier.generation, 1, MAX_THREADS, NULL, NULL, 0);
    return;
  }
  for (int i = 0; i < 4000; i++) {
    if (__atomic_load_n(&barrier.generation, __ATOMIC_SEQ_CST) != generation)
      return;
    pause_cpu();
  }
  __atomic_add_fetch(&barrier.sleepers, 1, __ATOMIC_SEQ_CST);
  while (__atomic_load_n(&barrier.generation, __ATOMIC_SEQ_CST) == generation)
    syscall(SYS_futex, &barrier.generation, 0, generation, NULL, NULL, 0);
  __atomic_sub_fetch(&barrier.sleepers, 1, __ATOMIC_SEQ_CST);
}

/* Waits until every other thread has come at least as far; 0 if one did not within so many turns. */
static inline int meet(int self, int threads, uint32_t place, int turns) {
  places[self].value = place;
  for (int other = 0; other < threads; other++)
    for (int turn = 0; places[other].value < place; turn++) {
      if (turn == turns)
        return 0;
      pause_cpu();
    }
  return 1;
}

static void run_batch(int self, long batch) {
  const struct test *test = running;
  body *accesses = test->bodies[self];
  uint32_t(*mine)[MAX_RESULTS] = loaded[self];
  uint32_t random = (uint32_t)(batch * 2654435761u) ^ (uint32_t)(self * 40503u);
  uint32_t every = test->threads == 2 ? 4 : 32;
  int together = 1; /* no more rendezvous in this batch once a partner was late: it does not run just now */
  for (uint32_t i = 0; i < SLOTS; i++) {
    if (together && i % every == 0)
      together = meet(self, test->threads, i + 1, i == 0 ? FIRST_TURNS : TURNS);
    random = random * 1664525u + 1013904223u;
    for (volatile uint32_t delay = random >> 28; delay > 0; delay--)
      ;
    accesses(&slots[i], mine[i]);
  }
}

static void clear(void) {
  for (int i = 0; i < SLOTS; i++) {
    slots[i].x.value = 0;
    slots[i].y.value = 0;
    slots[i].lock.value = 0;
  }
  for (int i = 0; i < MAX_THREADS; i++)
    places[i].value = 0;
}

static int results_of(const struct test *test) {
  int number = test->finals;
  for (int thread = 0; thread < test->threads; thread++)
    number += test->loads[thread];
  return number;
}

static void count(void) {
  const struct test *test = running;
  for (int i = 0; i < SLOTS; i++) {
    uint32_t r[MAX_RESULTS];
    int number = 0;
    for (int thread = 0; thread < test->threads; thread++)
      for (int load = 0; load < test->loads[thread]; load++)
        r[number++] = loaded[thread][i][load];
    if (test->finals > 0)
      r[number++] = slots[i].x.value;
    if (test->finals > 1)
      r[number++] = slots[i].y.value;
    unsigned index = 0;
    while (number-- > 0)
      index = index * MAX_VALUE + (r[number] < MAX_VALUE ? r[number] : MAX_VALUE - 1);
    tally[index]++;
  }
}

static void *thread_main(void *arg) {
  int self = (int)(intptr_t)arg, threads = running->threads;
  for (long batch = 0; batch < batches; batch++) {
    barrier_wait(threads);
    run_batch(self, batch);
    barrier_wait(threads);
    if (self == 0) {
      count();
      clear();
    }
  }
  return NULL;
}

static void print_outcome(const struct test *test, const uint32_t *r, int number) {
  for (int i = 0; i < number; i++)
    if (i < number - test->finals)
      printf(" r%d=%u", i, r[i]);
    else
      printf(" %c=%u", i == number - test->finals ? 'x' : 'y', r[i]);
}

/* Runs one test and prints its outcomes; the number of rounds with a forbidden outcome. */
static unsigned long run(const struct test *test, long rounds) {
  pthread_t threads[MAX_THREADS];
  running = test;
  batches = (rounds + SLOTS - 1) / SLOTS;
  memset(tally, 0, sizeof tally);
  clear();
  for (intptr_t i = 1; i < test->threads; i++)
    if (pthread_create(&threads[i], NULL, thread_main, (void *)i) != 0) {
      fputs("pthread_create failed\n", stderr);
      exit(2);
    }
  thread_main((void *)0);
  for (int i = 1; i < test->threads; i++)
    pthread_join(threads[i], NULL);

  unsigned long relaxed = 0;
  int number = results_of(test);
  printf("test %s: %s\nrounds %ld\n", test->name, test->summary, batches * SLOTS);
  for (unsigned index = 0; index < sizeof tally / sizeof *tally; index++) {
    uint32_t r[MAX_RESULTS];
    unsigned rest = index;
    if (tally[index] == 0)
      continue;
    for (int i = 0; i < MAX_RESULTS; i++, rest /= MAX_VALUE)
      r[i] = rest % MAX_VALUE;
    int is_relaxed = test->relaxed(r);
    relaxed += is_relaxed ? tally[index] : 0;
    print_outcome(test, r, number);
    printf(": %lu%s\n", tally[index], is_relaxed ? (test->forbidden ? "  FORBIDDEN" : "  reordered") : "");
  }
  printf("%s %lu\n", test->forbidden ? "forbidden" : "reordered", relaxed);
  return test->forbidden ? relaxed : 0;
}

/* usage: PROGRAM [TEST [ROUNDS]]; "all" runs each but the controls. Exit status 1 if a forbidden outcome was seen. */
static int litmus_main(int argc, char **argv, const struct test *tests, int number) {
  const char *name = argc > 1 ? argv[1] : "all";
  long rounds = argc > 2 ? strtol(argv[2], NULL, 10) : 1000000;
  unsigned long forbidden = 0;
  int found = 0;
  for (int i = 0; i < number; i++)
    if (strcmp(name, "all") == 0 ? !strstr(tests[i].name, "control") : strcmp(name, tests[i].name) == 0) {
      forbidden += run(&tests[i], rounds);
      found = 1;
    }
  if (!found || rounds <= 0) {
    fprintf(stderr, "usage: %s [TEST [ROUNDS]]; tests: all", argv[0]);
    for (int i = 0; i < number; i++)
      fprintf(stderr, " %s", tests[i].name);
    fputc('\n', stderr);
    return 2;
  }
  return forbidden != 0;
}

#endif
