/* Ways to name an operand and to lay out an instruction: every ModRM and SIB form, displacements of each size, RIP
   relative operands, 32-bit addresses, absolute 64-bit moves, all sixteen registers, redundant prefixes, long NOPs,
   segment overrides that are ignored in 64-bit mode, and indirect, far-away and computed jumps and calls.
   Source: Intel SDM volume 2, chapter 2; volume 1, 3.7. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

uint64_t table[64]; /* below 4 GiB: the program is linked at a fixed address */
uint64_t result;

#define LOAD(text, ...)                                                                                                \
  do {                                                                                                                 \
    result = 0;                                                                                                        \
    __asm__ volatile(text : "=&a"(result) : __VA_ARGS__ : "memory", "cc");                                             \
    printf("%-44s %llu\n", #text, (unsigned long long)result);                                                         \
  } while (0)

uint64_t all_registers(const uint64_t *values);
__asm__(
    ".pushsection .text\n.type all_registers, @function\nall_registers:\n\t"
    "push %rbx\n\tpush %rbp\n\tpush %r12\n\tpush %r13\n\tpush %r14\n\tpush %r15\n\t"
    "mov (%rdi), %rax\n\tmov 8(%rdi), %rbx\n\tmov 16(%rdi), %rcx\n\tmov 24(%rdi), %rdx\n\tmov 32(%rdi), %rsi\n\t"
    "mov 40(%rdi), %rbp\n\tmov 48(%rdi), %r8\n\tmov 56(%rdi), %r9\n\tmov 64(%rdi), %r10\n\tmov 72(%rdi), %r11\n\t"
    "mov 80(%rdi), %r12\n\tmov 88(%rdi), %r13\n\tmov 96(%rdi), %r14\n\tmov 104(%rdi), %r15\n\tmov 112(%rdi), %rdi\n\t"
    "add %r8, %rax\n\txor %r9, %rbx\n\tadd %r10d, %ecx\n\tsub %r11w, %dx\n\tadd %r12b, %sil\n\tadd %r13b, %bpl\n\t"
    "add %r14b, %dil\n\timul %r15, %rax\n\tadd %rbx, %rax\n\tadd %rcx, %rax\n\tadd %rdx, %rax\n\tadd %rsi, %rax\n\t"
    "add %rbp, %rax\n\tadd %rdi, %rax\n\tlea 3(%r12,%r13,4), %r12\n\tlea (%r14,%r15,2), %r13d\n\tadd %r12, %rax\n\t"
    "add %r13, %rax\n\tmov $0x7fffffffffffffff, %r8\n\txchg %r8, %rax\n\tadd %r8, %rax\n\t"
    "pop %r15\n\tpop %r14\n\tpop %r13\n\tpop %r12\n\tpop %rbp\n\tpop %rbx\n\tret\n.popsection");

/* Instructions with prefixes that change nothing. */
uint64_t odd_prefixes(uint64_t a, uint64_t b);
__asm__(".pushsection .text\n.type odd_prefixes, @function\nodd_prefixes:\n\t"
        "mov %rdi, %rax\n\t"
        ".byte 0x2e, 0x3e, 0x26, 0x36, 0x48, 0x01, 0xf0\n\t" /* cs ds es ss add %rsi, %rax */
        ".byte 0x66, 0x48, 0x01, 0xf0\n\t"                   /* 66h, and REX.W wins */
        ".byte 0x40, 0x01, 0xf6\n\t"                         /* an empty REX: add %esi, %esi */
        ".byte 0x48, 0x66, 0x01, 0xf0\n\t"                   /* REX not last is ignored: add %si, %ax */
        ".byte 0xf3, 0x48, 0x01, 0xf0\n\t"                   /* F3h without meaning: add %rsi, %rax */
        ".byte 0xf2, 0xc3\n\t"                               /* bnd ret */
        "int3\n.popsection");

void nops(void);
__asm__(".pushsection .text\n.type nops, @function\nnops:\n\t"
        ".byte 0x90\n\t.byte 0x66, 0x90\n\t.byte 0x0f, 0x1f, 0x00\n\t.byte 0x0f, 0x1f, 0x40, 0x00\n\t"
        ".byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n\t.byte 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00\n\t"
        ".byte 0x0f, 0x1f, 0x80, 0, 0, 0, 0\n\t.byte 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0\n\t"
        ".byte 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0\n\t" /* 15 bytes, the most */
        ".byte 0xf3, 0x0f, 0x1e, 0xfa\n\t"                                                    /* endbr64 */
        ".byte 0xf3, 0x90\n\t"                                                                /* pause */
        ".byte 0x0f, 0x0d, 0x08\n\t"                                                          /* prefetchw (%rax) */
        ".byte 0x0f, 0x18, 0x38\n\t"                                                          /* reserved hint */
        "ret\n.popsection");

uint64_t jumps(uint64_t which);
__asm__(".pushsection .text\n.type jumps, @function\njumps:\n\t"
        "lea jump_table(%rip), %rax\n\t"
        "movslq (%rax,%rdi,4), %rdx\n\tadd %rax, %rdx\n\tjmp *%rdx\n"
        "case_0:\n\tmov $100, %eax\n\tret\n"
        "case_1:\n\tjmp far_away\n"
        "case_2:\n\tpush $300\n\tjmp *pointer(%rip)\n"
        "case_3:\n\tlea 1f(%rip), %rax\n\tpush %rax\n\tret\n1:\tmov $400, %eax\n\tret\n"
        "case_4:\n\tcall 2f\n2:\tpop %rax\n\tlea 2b(%rip), %rdx\n\tsub %rdx, %rax\n\tadd $500, %rax\n\tret\n"
        "case_5:\n\tcall *pointer_2(%rip)\n\tadd $1, %rax\n\tret\n"
        "case_6:\n\tpush $11\n\tpush $22\n\tlea takes_two(%rip), %rax\n\tcall *%rax\n\tret\n"
        "case_7:\n\tmov $7, %ecx\n\txor %eax, %eax\n3:\tadd %ecx, %eax\n\tloop 3b\n\tret\n"
        "takes_two:\n\tmov 8(%rsp), %rax\n\timul 16(%rsp), %rax\n\tret $16\n" /* removes its arguments */
        "from_pointer:\n\tpop %rax\n\tret\n"
        "from_pointer_2:\n\tmov $599, %eax\n\tret\n"
        ".skip 100000, 0x90\n" /* beyond any short jump */
        "far_away:\n\tmov $200, %eax\n\tret\n"
        ".popsection\n.pushsection .rodata\n.balign 8\n"
        "jump_table:\n\t.long case_0 - jump_table, case_1 - jump_table, case_2 - jump_table, case_3 - jump_table\n\t"
        ".long case_4 - jump_table, case_5 - jump_table, case_6 - jump_table, case_7 - jump_table\n"
        ".popsection\n.pushsection .data\n.balign 8\n"
        "pointer:\n\t.quad from_pointer\npointer_2:\n\t.quad from_pointer_2\n.popsection");

int main(void) {
  for (int i = 0; i < 64; i++)
    table[i] = (uint64_t)(1000 + i);
  uint64_t *middle = table + 32;
  LOAD("mov (%1), %0", "r"(middle));
  LOAD("mov 8(%1), %0", "r"(middle));
  LOAD("mov -128(%1), %0", "r"(middle));
  LOAD("mov 128(%1), %0", "r"(middle));
  LOAD("mov -256(%1), %0", "r"(middle));
  LOAD("mov (%1,%2), %0", "r"(middle), "r"((uint64_t)16));
  LOAD("mov 8(%1,%2,2), %0", "r"(middle), "r"((uint64_t)4));
  LOAD("mov -8(%1,%2,4), %0", "r"(middle), "r"((int64_t)-4));
  LOAD("mov (%1,%2,8), %0", "r"(middle), "r"((int64_t)-7));
  LOAD("mov table(,%1,8), %0", "r"((uint64_t)9));
  LOAD("mov table+40(%1), %0", "r"((uint64_t)0));
  LOAD("mov table(%%rip), %0", "i"(0));
  LOAD("mov table+72(%%rip), %0", "i"(0));
  LOAD("mov table+80, %0", "i"(0)); /* SIB without base and index: an absolute address of 32 bits */
  LOAD("mov (%k1), %0", "r"((uint64_t)middle | 0xabcd00000000));
  LOAD("mov 16(%k1,%k2,8), %0", "r"((uint64_t)middle | 0x1100000000), "r"((uint64_t)0x22fffffffe));
  uint64_t wide;
  __asm__ volatile("movabsq table+88, %%rax\n\tmovabsq %%rax, result" : : : "rax", "memory");
  wide = result;
  __asm__ volatile("movb $5, %%al\n\tmovabsb %%al, result" : : : "rax", "memory");
  printf("movabs: %llu, then its low byte set: %llu\n", (unsigned long long)wide, (unsigned long long)result);
  for (int base = 0; base < 2; base++) {
    /* rsp, rbp, r12, r13 as bases have encodings of their own */
    uint64_t via_r12, via_r13, via_rbp, index_r12;
    __asm__ volatile(
        "mov %4, %%r12\n\tmov (%%r12), %0\n\tmov %4, %%r13\n\tmov (%%r13), %1\n\tmov 8(%%r13), %%r12\n\tadd %%r12, "
        "%1\n\t"
        "push %%rbp\n\tmov %4, %%rbp\n\tmov (%%rbp), %2\n\tmov 24(%%rbp), %%r13\n\tpop %%rbp\n\tadd %%r13, %2\n\t"
        "mov $3, %%r12d\n\tmov (%4,%%r12,8), %3"
        : "=&r"(via_r12), "=&r"(via_r13), "=&r"(via_rbp), "=&r"(index_r12)
        : "r"(middle + base)
        : "r12", "r13", "memory", "cc");
    printf("r12 %llu, r13 %llu, rbp %llu, index r12 %llu\n", (unsigned long long)via_r12, (unsigned long long)via_r13,
           (unsigned long long)via_rbp, (unsigned long long)index_r12);
  }
  uint64_t near_top, byte_sum = 0;
  __asm__ volatile("push %1\n\tpush $5\n\tmov 8(%%rsp), %0\n\tadd (%%rsp), %0\n\tlea 16(%%rsp), %%rsp"
                   : "=&r"(near_top)
                   : "r"((uint64_t)70)
                   : "memory", "cc");
  printf("rsp as base: %llu\n", (unsigned long long)near_top);
  const uint8_t *bytes = (const uint8_t *)table;
  for (int64_t i = -20; i < 20; i++) {
    uint8_t byte;
    __asm__ volatile("movb 160(%1,%2,8), %0" : "=q"(byte) : "r"(bytes), "r"(i) : "memory");
    byte_sum = byte_sum * 3 + byte;
  }
  printf("negative indexes: %llx\n", (unsigned long long)byte_sum);

  uint64_t values[15];
  for (int i = 0; i < 15; i++)
    values[i] = 0x9e3779b97f4a7c15u * (uint64_t)(i + 1);
  printf("all registers: %016llx\n", (unsigned long long)all_registers(values));
  printf("odd prefixes: %016llx\n", (unsigned long long)odd_prefixes(0x123456789abcdef0, 0x1111111122223333));
  nops();
  puts("long nops passed");
  for (uint64_t i = 0; i < 8; i++)
    printf("jump %llu: %llu\n", (unsigned long long)i, (unsigned long long)jumps(i));
  uint16_t selectors[2];
  __asm__ volatile("mov %%cs, %k0\n\tmov %%ss, %k1" : "=&r"(selectors[0]), "=&r"(selectors[1]));
  printf("cs %x, ss %x\n", selectors[0], selectors[1]);
  return 0;
}
