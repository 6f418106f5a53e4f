/* Runs instruction sequences on the host processor. In (stdin): struct header, code of code_slot bytes a sequence,
 * states. Out (stdout): each state after the sequence at its rip. A sequence starts at its state's rip and ends with
 * INT3, or with whatever else raises a signal; the handler takes all of the state from the signal frame, puts the next
 * one's there and returns into it, so a sequence costs one signal. One that does not end is given up: signal HANG.
 * Source: SDM 1, 13.4 (XSAVE area, standard format); man 2 sigaction (ucontext). Layout: tests/support/sequence-state.ts. */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#define DATA 0x10000000UL
#define CODE 0x2a5c0000UL
#define CODE_BYTES (1UL << 20)
/* Images of FXSAVE and the like: processors keep different pointers in them. */
#define NOT_HASHED 0x800UL
#define PAGE 4096UL
#define DATA_PAGES 5
#define GS_BASE 0x300000UL
#define MEMORY_SIZE 1408
#define HANG 255
/* Offsets in an XSAVE area. */
#define XSTATE_BV 512
#define YMMH 576

struct header {
  uint32_t sequences, code_slot, code_start, states;
};
struct state {
  uint64_t gpr[16];
  uint64_t rflags, rip;
  uint32_t signal, code;
  uint64_t address;
  /* Of all data pages from NOT_HASHED on, after the sequence. */
  uint32_t hash, unused;
  uint8_t ymmh[256];
  uint8_t fxsave[512];
  uint8_t memory[MEMORY_SIZE];
};

/* What may be done with the pages of DATA. */
static const int protections[DATA_PAGES] = {PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE,
                                            PROT_READ | PROT_WRITE};
/* The windows that a state's memory holds, one after another. */
static const struct {
  size_t offset, size;
} windows[] = {{0x0e80, 768}, {0x1fc0, 128}, {0x4400, 512}};
static const int registers[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                  REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static struct header header;
static struct state *states;
static int64_t current = -1, ticked = -1;
/* The data pages, all of them writable. */
static uint8_t *pages;

static void must(int ok, const char *what) {
  if (ok)
    return;
  perror(what);
  _exit(1);
}

static uint32_t hash_pages(void) {
  uint32_t h = 0;
  const uint32_t *words = (const uint32_t *)pages;
  for (size_t i = NOT_HASHED / 4; i < DATA_PAGES * PAGE / 4; i++)
    h = (h ^ words[i]) * 0x9e3779b1u;
  return h;
}

static void take(struct state *s, int signal, const siginfo_t *info, const ucontext_t *context) {
  const greg_t *g = context->uc_mcontext.gregs;
  const uint8_t *fp = (const uint8_t *)context->uc_mcontext.fpregs;
  for (int i = 0; i < 16; i++)
    s->gpr[i] = (uint64_t)g[registers[i]];
  s->rflags = (uint64_t)g[REG_EFL];
  s->rip = (uint64_t)g[REG_RIP];
  s->signal = (uint32_t)signal;
  s->code = (uint32_t)info->si_code;
  s->address = signal == SIGTRAP ? 0 : (uint64_t)info->si_addr;
  memcpy(s->fxsave, fp, 512);
  if (fp[XSTATE_BV] & 4)
    memcpy(s->ymmh, fp + YMMH, 256);
  else
    memset(s->ymmh, 0, 256);
  const uint8_t *from = pages;
  uint8_t *to = s->memory;
  for (size_t i = 0; i < sizeof windows / sizeof windows[0]; to += windows[i++].size)
    memcpy(to, from + windows[i].offset, windows[i].size);
  s->hash = hash_pages();
}

static void give(const struct state *s, ucontext_t *context) {
  greg_t *g = context->uc_mcontext.gregs;
  uint8_t *fp = (uint8_t *)context->uc_mcontext.fpregs;
  for (int i = 0; i < 16; i++)
    g[registers[i]] = (greg_t)s->gpr[i];
  g[REG_EFL] = (greg_t)s->rflags;
  g[REG_RIP] = (greg_t)s->rip;
  /* The last bytes of the legacy area tell the kernel what follows it. */
  memcpy(fp, s->fxsave, 416);
  memcpy(fp + YMMH, s->ymmh, 256);
  fp[XSTATE_BV] |= 7;
  memset(pages, 0, DATA_PAGES * PAGE);
  const uint8_t *from = s->memory;
  for (size_t i = 0; i < sizeof windows / sizeof windows[0]; from += windows[i++].size)
    memcpy(pages + windows[i].offset, from, windows[i].size);
  syscall(SYS_arch_prctl, ARCH_SET_GS, GS_BASE);
}

static void finish(void) {
  const uint8_t *at = (const uint8_t *)states;
  size_t left = header.states * sizeof *states;
  while (left > 0) {
    ssize_t n = write(1, at, left);
    must(n > 0, "write");
    at += n;
    left -= (size_t)n;
  }
  _exit(0);
}

static void on_signal(int signal, siginfo_t *info, void *context) {
  /* A sequence may have set AC, which the kernel leaves set: no unaligned access before this. (Needs -mno-red-zone.) */
  __asm__ volatile("pushfq\n andl $~0x40000, (%%rsp)\n popfq" : : : "memory", "cc");
  if (signal == SIGVTALRM) {
    if (current < 0 || ticked != current) {
      ticked = current;
      return;
    }
    signal = HANG;
  }
  if (current >= 0)
    take(&states[current], signal, info, context);
  if (++current == header.states)
    finish();
  give(&states[current], context);
}

static void *map(size_t at, size_t size, int protection, int fd, size_t offset) {
  void *got = mmap((void *)at, size, protection, MAP_SHARED | (at ? MAP_FIXED_NOREPLACE : 0), fd, (off_t)offset);
  must(got != MAP_FAILED && (at == 0 || got == (void *)at), "mmap");
  return got;
}

int main(void) {
  must(fread(&header, sizeof header, 1, stdin) == 1, "header");
  must(header.code_start + (size_t)header.sequences * header.code_slot <= CODE_BYTES, "size of the code");
  int fd = memfd_create("sequences", 0);
  must(fd >= 0 && ftruncate(fd, CODE_BYTES + DATA_PAGES * PAGE) == 0, "memfd");
  uint8_t *code = map(0, CODE_BYTES, PROT_READ | PROT_WRITE, fd, 0);
  map(CODE, CODE_BYTES, PROT_READ | PROT_EXEC, fd, 0);
  pages = map(0, DATA_PAGES * PAGE, PROT_READ | PROT_WRITE, fd, CODE_BYTES);
  for (size_t i = 0; i < DATA_PAGES; i++)
    if (protections[i] != PROT_NONE)
      map(DATA + PAGE * i, PAGE, protections[i], fd, CODE_BYTES + PAGE * i);
  states = malloc(header.states * sizeof *states);
  memset(code, 0xcc, CODE_BYTES);
  must(fread(code + header.code_start, header.code_slot, header.sequences, stdin) == header.sequences, "code");
  must(fread(states, sizeof *states, header.states, stdin) == header.states, "states");

  static uint8_t stack[1 << 17];
  stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
  must(sigaltstack(&alternative, NULL) == 0, "sigaltstack");
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigfillset(&action.sa_mask);
  static const int signals[] = {SIGSEGV, SIGILL, SIGFPE, SIGBUS, SIGTRAP, SIGVTALRM};
  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
    sigaction(signals[i], &action, NULL);
  /* Of the time that the process runs: a sequence takes microseconds. */
  const struct itimerval every = {.it_interval = {.tv_usec = 20000}, .it_value = {.tv_usec = 20000}};
  setitimer(ITIMER_VIRTUAL, &every, NULL);
  __asm__ volatile("mov %0, %%ds\n mov %0, %%gs" : : "r"(0));
  __asm__ volatile("int3");
  return 1;
}
