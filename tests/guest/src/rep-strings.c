/* String instructions with and without REP: every width, forwards and backwards, overlapping, counts of zero, faults
   in the middle (registers then stand at the element that faulted, so that the instruction can go on), 32-bit
   addressing, and a big copy across pages. Source: Intel SDM volume 2, REP, MOVS, STOS, LODS, CMPS, SCAS. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096, ROOM = 256 };

static uint8_t source[ROOM], target[ROOM];

static void fill(void) {
  for (int i = 0; i < ROOM; i++) {
    source[i] = (uint8_t)(i * 7 + 1);
    target[i] = (uint8_t)(200 - i);
  }
}

static uint32_t hash(const void *data, size_t bytes) {
  uint32_t h = 2166136261u;
  for (size_t i = 0; i < bytes; i++)
    h = (h ^ ((const uint8_t *)data)[i]) * 16777619u;
  return h;
}

struct registers {
  const uint8_t *rsi;
  uint8_t *rdi;
  uint64_t rcx, rax;
  uint64_t zf;
};

/* Runs one string instruction in the direction given ("cld" or "std"), and leaves DF clear. */
#define STRING(name, text)                                                                                             \
  static void name(struct registers *r, int backwards) {                                                               \
    uint64_t flags;                                                                                                    \
    __asm__ volatile("testl %k5, %k5\n\tjz 1f\n\tstd\n1:\tcmpq %%rsp, %%rsp\n\t" text "\n\tpushfq\n\tpopq %4\n\tcld"   \
                     : "+&S"(r->rsi), "+&D"(r->rdi), "+&c"(r->rcx), "+&a"(r->rax), "=&r"(flags)                        \
                     : "r"(backwards)                                                                                  \
                     : "cc", "memory");                                                                                \
    r->zf = flags >> 6 & 1;                                                                                            \
  }

STRING(movsb_, "movsb")
STRING(movsw_, "movsw")
STRING(movsl_, "movsl")
STRING(movsq_, "movsq")
STRING(rep_movsb, "rep movsb")
STRING(rep_movsw, "rep movsw")
STRING(rep_movsl, "rep movsl")
STRING(rep_movsq, "rep movsq")
STRING(stosb_, "stosb")
STRING(rep_stosb, "rep stosb")
STRING(rep_stosw, "rep stosw")
STRING(rep_stosl, "rep stosl")
STRING(rep_stosq, "rep stosq")
STRING(lodsb_, "lodsb")
STRING(lodsw_, "lodsw")
STRING(lodsl_, "lodsl")
STRING(lodsq_, "lodsq")
STRING(rep_lodsb, "rep lodsb")
STRING(cmpsb_, "cmpsb")
STRING(repe_cmpsb, "repe cmpsb")
STRING(repe_cmpsw, "repe cmpsw")
STRING(repe_cmpsl, "repe cmpsl")
STRING(repe_cmpsq, "repe cmpsq")
STRING(repne_cmpsb, "repne cmpsb")
STRING(scasb_, "scasb")
STRING(repne_scasb, "repne scasb")
STRING(repe_scasb, "repe scasb")
STRING(repne_scasw, "repne scasw")
STRING(repne_scasl, "repne scasl")
STRING(repne_scasq, "repne scasq")

static const struct {
  const char *name;
  void (*fn)(struct registers *r, int backwards);
} rows[] = {{"movsb", movsb_},
            {"movsw", movsw_},
            {"movsl", movsl_},
            {"movsq", movsq_},
            {"rep movsb", rep_movsb},
            {"rep movsw", rep_movsw},
            {"rep movsl", rep_movsl},
            {"rep movsq", rep_movsq},
            {"stosb", stosb_},
            {"rep stosb", rep_stosb},
            {"rep stosw", rep_stosw},
            {"rep stosl", rep_stosl},
            {"rep stosq", rep_stosq},
            {"lodsb", lodsb_},
            {"lodsw", lodsw_},
            {"lodsl", lodsl_},
            {"lodsq", lodsq_},
            {"rep lodsb", rep_lodsb},
            {"cmpsb", cmpsb_},
            {"repe cmpsb", repe_cmpsb},
            {"repe cmpsw", repe_cmpsw},
            {"repe cmpsl", repe_cmpsl},
            {"repe cmpsq", repe_cmpsq},
            {"repne cmpsb", repne_cmpsb},
            {"scasb", scasb_},
            {"repne scasb", repne_scasb},
            {"repe scasb", repe_scasb},
            {"repne scasw", repne_scasw},
            {"repne scasl", repne_scasl},
            {"repne scasq", repne_scasq}};

static void plain(void) {
  for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
    for (int backwards = 0; backwards < 2; backwards++) {
      printf("%-12s %s", rows[i].name, backwards ? "down" : "up  ");
      for (uint64_t count = 0; count < 12; count += count < 3 ? 1 : 4) {
        fill();
        /* common stretches, so that the comparisons run on for a while */
        memcpy(target + 100, source + 100, 60);
        target[109] ^= 1;
        struct registers r = {source + 100 + (backwards ? 40 : 0), target + 100 + (backwards ? 40 : 0), count,
                              0x1122334455660000u | source[103] | (uint64_t)source[104] << 8, 0};
        rows[i].fn(&r, backwards);
        printf(" | %ld %ld %llu %llx %llu %08x", (long)(r.rsi - source), (long)(r.rdi - target),
               (unsigned long long)r.rcx, (unsigned long long)r.rax, (unsigned long long)r.zf, hash(target, ROOM));
      }
      putchar('\n');
    }
}

static void overlapping(void) {
  for (int distance = -9; distance <= 9; distance++) {
    printf("overlap by %2d:", distance);
    for (int width = 0; width < 4; width++)
      for (int backwards = 0; backwards < 2; backwards++) {
        fill();
        struct registers r = {source + 100, source + 100 + distance, 20 >> width, 0, 0};
        (width == 0 ? rep_movsb : width == 1 ? rep_movsw : width == 2 ? rep_movsl : rep_movsq)(&r, backwards);
        printf(" %08x", hash(source, ROOM));
      }
    putchar('\n');
  }
}

/* A fault in the middle of a REP: the handler notes the registers, opens the page, and the instruction goes on. */
static uint8_t *closed_page;
static long at_rsi, at_rdi;
static uint64_t at_rcx;
static int faults, rip_at_instruction;
static const uint8_t *base_source;
static uint8_t *base_target;

static void open_page(int signal, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  (void)signal;
  (void)info;
  const uint8_t *rip = (const uint8_t *)uc->uc_mcontext.gregs[REG_RIP];
  if (++faults > 5) /* the instruction makes no progress */
    _exit(1);
  at_rsi = (const uint8_t *)uc->uc_mcontext.gregs[REG_RSI] - base_source;
  at_rdi = (uint8_t *)uc->uc_mcontext.gregs[REG_RDI] - base_target;
  at_rcx = (uint64_t)uc->uc_mcontext.gregs[REG_RCX];
  rip_at_instruction = rip[0] == 0xf3 || rip[0] == 0xf2 || rip[0] == 0x66;
  mprotect(closed_page, PAGE, PROT_READ | PROT_WRITE);
}

static void faulting(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = open_page;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, NULL);
  uint8_t *p = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  static const struct {
    const char *name;
    void (*fn)(struct registers *r, int backwards);
    int width, closed_source, backwards, offset;
  } cases[] = {{"rep movsb to a closed page", rep_movsb, 1, 0, 0, 0},
               {"rep movsb from a closed page", rep_movsb, 1, 1, 0, 0},
               {"rep movsb down to a closed page", rep_movsb, 1, 0, 1, 0},
               {"rep movsq to a closed page", rep_movsq, 8, 0, 0, 0},
               {"rep movsq across its edge", rep_movsq, 8, 0, 0, 3},
               {"rep movsl from across its edge", rep_movsl, 4, 1, 0, 1},
               {"rep movsw down, across", rep_movsw, 2, 0, 1, 1},
               {"rep stosb", rep_stosb, 1, 0, 0, 0},
               {"rep stosq across its edge", rep_stosq, 8, 0, 0, 5},
               {"rep stosl down", rep_stosl, 4, 0, 1, 0},
               {"repe cmpsb", repe_cmpsb, 1, 1, 0, 0},
               {"repne scasb", repne_scasb, 1, 0, 0, 0},
               {"rep lodsb", rep_lodsb, 1, 1, 0, 0}};
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
    int width = cases[i].width;
    memset(p, 0x33, 8 * PAGE);
    for (int j = 0; j < 2 * PAGE; j++)
      p[j] = (uint8_t)(j % 251);
    if (cases[i].fn == repe_cmpsb)
      memcpy(p + 4 * PAGE, p, 2 * PAGE);
    /* source: pages 0 and 1; target: pages 4 and 5; starts 100 elements before (or after) the page edge */
    int edge = PAGE - 100 * width + cases[i].offset;
    if (cases[i].backwards)
      edge = PAGE + 100 * width - cases[i].offset;
    base_source = p + edge;
    base_target = p + 4 * PAGE + edge;
    closed_page = p + (cases[i].closed_source ? 0 : 4 * PAGE) + (cases[i].backwards ? 0 : PAGE);
    mprotect(closed_page, PAGE, PROT_NONE);
    faults = 0;
    struct registers r = {base_source, base_target, 300, 0x4444444444444444, 0};
    cases[i].fn(&r, cases[i].backwards);
    printf("%-32s faults %d, at the instruction %d, rsi %+ld, rdi %+ld, rcx %llu; end %+ld %+ld %llu, %08x\n",
           cases[i].name, faults, rip_at_instruction, at_rsi, at_rdi, (unsigned long long)at_rcx,
           (long)(r.rsi - base_source), (long)(r.rdi - base_target), (unsigned long long)r.rcx, hash(p, 8 * PAGE));
  }
  munmap(p, 8 * PAGE);
}

static void other_addressing(void) {
  static uint8_t low_pages[2 * PAGE]; /* below 4 GiB: the program is linked at a fixed address */
  for (int i = 0; i < PAGE; i++)
    low_pages[i] = (uint8_t)(i * 5);
  /* With a 67h prefix only ESI, EDI and ECX count, and the registers are zero-extended. */
  uint64_t rsi = (uint64_t)low_pages | 0xabcd00000000u, rdi = (uint64_t)(low_pages + PAGE) | 0x123400000000u;
  uint64_t rcx = 0x5500000040u;
  __asm__ volatile("addr32 rep movsb" : "+S"(rsi), "+D"(rdi), "+c"(rcx) : : "memory");
  printf("32-bit addressing: rsi +%llu, rdi +%llu, rcx %llx, %08x\n", (unsigned long long)(rsi - (uint64_t)low_pages),
         (unsigned long long)(rdi - (uint64_t)low_pages - PAGE), (unsigned long long)rcx, hash(low_pages, 2 * PAGE));
  rcx = 0x100000000u;
  rsi = 0;
  rdi = 0;
  __asm__ volatile("addr32 rep movsb" : "+S"(rsi), "+D"(rdi), "+c"(rcx) : : "memory");
  printf("32-bit count of 0: rsi %llu, rdi %llu\n", (unsigned long long)rsi, (unsigned long long)rdi);
}

static void big(void) {
  enum { BYTES = 64 * PAGE };
  uint8_t *p = mmap(NULL, 2 * BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < BYTES; i++)
    p[i] = (uint8_t)(i ^ i >> 8);
  for (int offset = 0; offset < 16; offset += 5) {
    struct registers r = {p + offset, p + BYTES + 3, BYTES - 64, 0, 0};
    rep_movsb(&r, 0);
    printf("copy of %d bytes from +%d: %s, ", BYTES - 64, offset,
           memcmp(p + offset, p + BYTES + 3, BYTES - 64) == 0 ? "equal" : "DIFFERENT");
    struct registers s = {p, p + BYTES + 7, 0, 0, 0};
    s.rcx = (BYTES - 64) / 8;
    s.rsi = p + offset;
    rep_movsq(&s, 0);
    printf("by quads: %s\n", memcmp(p + offset, p + BYTES + 7, BYTES - 64) == 0 ? "equal" : "DIFFERENT");
  }
  struct registers r = {p, p + 5, BYTES - 9, 0xabababababababab, 0};
  rep_stosb(&r, 0);
  printf("fill: %08x\n", hash(p, 2 * BYTES));
  munmap(p, 2 * BYTES);
}

int main(void) {
  plain();
  overlapping();
  faulting();
  other_addressing();
  big();
  return 0;
}
