/*
 * The debug registers of a tracee: a breakpoint, watchpoints for writing and for any access.
 * Expected (Intel SDM volume 3, 17.2; natively where the host's processor has debug registers, which a virtual one may lack): exit 0. The stops are compared with what is expected here.
 */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <sys/user.h>
#include "ptrace-common.h"

#define DR(n) (offsetof(struct user, u_debugreg) + 8 * (n))
#define WRITE(n) (1L << (16 + 4 * (n)))
#define ACCESS(n) (3L << (16 + 4 * (n)))
#define BYTES_4(n) (3L << (18 + 4 * (n)))
#define BYTES_8(n) (2L << (18 + 4 * (n)))
#define ON(n) (1L << (2 * (n)))

struct stop { long at, rcx; int status; };

static int debug_register(pid_t p, int n, const void *value) { return ptrace(PTRACE_POKEUSER, p, DR(n), value); }
static int control(pid_t p, long value) { return debug_register(p, 7, (void *)value); }

/* Goes on, to one stop after the other, as `expected`; the last has the status 0. */
static void follow(pid_t p, const char *start, const struct stop *expected) {
  for (; expected->status; expected++) {
    struct user_regs_struct r;
    siginfo_t si;
    int st;
    CHECK(!ptrace(PTRACE_CONT, p, 0, 0));
    CHECK(waitpid(p, &st, __WALL) == p);
    CHECK(WIFSTOPPED(st));
    CHECK(!ptrace(PTRACE_GETSIGINFO, p, 0, &si));
    CHECK(!ptrace(PTRACE_GETREGS, p, 0, &r));
    struct stop is = {r.rip - (long)start, (int)r.rcx, ptrace(PTRACE_PEEKUSER, p, DR(6), 0) & 15};
    printf("%#x code %d at +%ld ecx %ld status %x\n", st >> 8, si.si_code, is.at, is.rcx, is.status);
    CHECK(si.si_signo == SIGTRAP && si.si_code == 4);
    CHECK(is.at == expected->at && is.status == expected->status && (expected->rcx < 0 || is.rcx == expected->rcx));
    CHECK(!debug_register(p, 6, 0));
  }
}

static void last(pid_t p, int status) {
  int st;
  CHECK(!ptrace(PTRACE_CONT, p, 0, 0));
  CHECK(waitpid(p, &st, __WALL) == p);
  show(p, st);
  CHECK(WIFEXITED(st) && WEXITSTATUS(st) == status);
}

extern char watch_here[];
__asm__(".text\n.globl counted\ncounted: mov $3,%ecx\n1: add $1,%eax\n test %ecx,%ecx\nwatch_here: mov %ecx,watched(%rip)\n dec %ecx\n jnz 1b\n ret\n");
void counted(void);
int watched;

static void counted_body(void) {
  counted();
  _exit(watched);
}

/* A watchpoint, then a breakpoint. */
static void writes(void) {
  pid_t p = traced(counted_body);
  CHECK(!debug_register(p, 0, &watched));
  CHECK(!control(p, ON(0) | WRITE(0) | BYTES_4(0)));
  CHECK(ptrace(PTRACE_PEEKUSER, p, DR(0), 0) == (long)&watched);
  follow(p, watch_here, (struct stop[]){{6, 3, 1}, {6, 2, 1}, {0, 0, 0}});
  CHECK(!control(p, 0));
  CHECK(!debug_register(p, 1, watch_here));
  CHECK(!control(p, ON(1)));
  follow(p, watch_here, (struct stop[]){{0, 1, 2}, {0, 0, 0}});
  CHECK(!control(p, 0));
  last(p, 1);
}

extern char access_start[];
__asm__(".text\n.globl accesses\naccesses: push %rbx\n lea places(%rip),%rbx\n mov %rbx,%rdx\n lea 64(%rbx),%rsi\n"
        "access_start: mov 16(%rbx),%eax\n mov %eax,16(%rbx)\n mov 12(%rbx),%eax\n mov 12(%rbx),%rax\n mov 24(%rbx),%eax\n cmpb $0,23(%rbx)\n lea 16(%rbx),%rax\n"
        " lock addl $1,16(%rbx)\n mov $77,%eax\n lock cmpxchg %ecx,20(%rbx)\n movups 8(%rbx),%xmm0\n movups %xmm0,24(%rbx)\n movups %xmm0,(%rbx)\n"
        " lea 12(%rbx),%rdi\n mov $5,%ecx\n rep movsb\n lea 24(%rbx),%rdi\n mov $2,%ecx\n std\n rep stosq\n cld\n"
        " pcmpeqd %xmm1,%xmm1\n pslldq $12,%xmm1\n lea 8(%rbx),%rdi\n maskmovdqu %xmm1,%xmm0\n lea (%rbx),%rdi\n maskmovdqu %xmm1,%xmm0\n"
        " fildll 16(%rbx)\n fistpll 8(%rbx)\n mov %rsp,%rax\n lea 24(%rbx),%rsp\n push %rdx\n pop 56(%rbx)\n mov %rax,%rsp\n testb $1,17(%rbx)\n nop\n pop %rbx\n ret\n");
void accesses(void);
char places[256] __attribute__((aligned(64)));

static void accesses_body(void) {
  accesses();
  /* What the kernel reads counts for nothing. */
  write(-1, places + 16, 8);
  _exit(6);
}

static pid_t watched_places(long dr7) {
  pid_t p = traced(accesses_body);
  CHECK(!debug_register(p, 0, places + 16));
  CHECK(!debug_register(p, 2, places + 60));
  CHECK(!control(p, dr7));
  return p;
}

/* Each access to the 8 bytes at 16 counts once it is done, or each write, whether the bytes are others now or not. */
static void reads(void) {
  pid_t p = watched_places(ON(0) | ACCESS(0) | BYTES_8(0) | ON(2) | ACCESS(2) | BYTES_4(2));
  follow(p, access_start, (struct stop[]){{3, -1, 1}, {6, -1, 1}, {13, -1, 1}, {20, -1, 1}, {29, -1, 1}, {39, -1, 1}, {43, -1, 1},
    {61, 0, 1}, {74, 0, 1}, {92, 0, 1}, {102, 0, 1}, {113, 0, 1}, {116, 0, 5}, {123, 0, 1}, {0, 0, 0}});
  last(p, 6);
  p = watched_places(ON(0) | WRITE(0) | BYTES_8(0) | ON(2) | ACCESS(2) | BYTES_4(2));
  follow(p, access_start, (struct stop[]){{6, -1, 1}, {29, -1, 1}, {39, -1, 1}, {61, 0, 1}, {74, 0, 1}, {92, 0, 1}, {113, 0, 1}, {116, 0, 4}, {0, 0, 0}});
  last(p, 6);
}

/* What Linux takes: no input and output, no places that their length does not divide. */
static void refused(void) {
  pid_t p = traced(accesses_body);
  CHECK(!debug_register(p, 0, places + 16));
  CHECK(control(p, ON(0) | 2L << 16) == -1 && errno == EINVAL);
  CHECK(control(p, ON(0) | BYTES_8(0)) == -1 && errno == EINVAL);
  CHECK(!control(p, ON(0) | ACCESS(0) | BYTES_8(0)));
  CHECK(debug_register(p, 0, places + 17) == -1 && errno == EINVAL);
  CHECK(!control(p, 0));
  CHECK(!debug_register(p, 0, places + 17));
  CHECK(control(p, ON(0) | ACCESS(0) | BYTES_8(0)) == -1 && errno == EINVAL);
  CHECK(debug_register(p, 4, (void *)1) == -1);
  last(p, 6);
}

int main(int argc, char **argv) {
  (void)argc, (void)argv;
  refused();
  writes();
  reads();
  return 0;
}
