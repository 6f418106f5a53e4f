/* Threads in number: many created and joined one after another, then 32 alive at once, then detached ones.
   usage: threads-many [IN-TURN]. Source: pthread_create(3). */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { AT_ONCE = 32, DETACHED = 16 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int arrived, left, go, detached_done;
static __thread int local = 7;

static void *in_turn(void *arg) {
  char on_stack[8192];
  for (size_t i = 0; i < sizeof on_stack; i++)
    on_stack[i] = (char)(i + (uintptr_t)arg);
  unsigned sum = 0;
  for (size_t i = 0; i < sizeof on_stack; i++)
    sum += (unsigned char)on_stack[i];
  local += (int)(uintptr_t)arg;
  return (void *)(uintptr_t)(sum + (unsigned)local);
}

static void *at_once(void *arg) {
  pthread_mutex_lock(&lock);
  arrived++;
  pthread_cond_broadcast(&changed);
  while (!go)
    pthread_cond_wait(&changed, &lock);
  left++;
  pthread_mutex_unlock(&lock);
  if ((uintptr_t)arg % 2)
    pthread_exit(arg);
  return arg;
}

static void *detached(void *arg) {
  pthread_mutex_lock(&lock);
  detached_done++;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
  return arg;
}

static void create(pthread_t *thread, void *(*fn)(void *), uintptr_t arg) {
  int error = pthread_create(thread, NULL, fn, (void *)arg);
  if (error != 0) {
    fprintf(stderr, "pthread_create: error %d\n", error);
    exit(1);
  }
}

int main(int argc, char **argv) {
  int turns = argc > 1 ? atoi(argv[1]) : 200;
  uint64_t sum = 0;
  for (int i = 0; i < turns; i++) {
    pthread_t thread;
    void *result;
    create(&thread, in_turn, (uintptr_t)i);
    pthread_join(thread, &result);
    sum += (uintptr_t)result;
  }
  printf("%d threads in turn, sum %llu, main's TLS still %d\n", turns, (unsigned long long)sum, local);

  pthread_t threads[AT_ONCE];
  for (uintptr_t i = 0; i < AT_ONCE; i++)
    create(&threads[i], at_once, i);
  pthread_mutex_lock(&lock);
  while (arrived < AT_ONCE)
    pthread_cond_wait(&changed, &lock);
  printf("%d threads at once, %d have left\n", arrived, left);
  go = 1;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
  uintptr_t values = 0;
  for (int i = 0; i < AT_ONCE; i++) {
    void *result;
    pthread_join(threads[i], &result);
    values += (uintptr_t)result;
  }
  printf("all joined, %d have left, values %lu\n", left, (unsigned long)values);

  for (int i = 0; i < DETACHED; i++) {
    pthread_t thread;
    create(&thread, detached, 0);
    pthread_detach(thread);
  }
  pthread_mutex_lock(&lock);
  while (detached_done < DETACHED)
    pthread_cond_wait(&changed, &lock);
  pthread_mutex_unlock(&lock);
  printf("%d detached threads done\n", detached_done);
  return 0;
}
