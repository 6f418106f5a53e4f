/* What an instruction raises, as a handler sees it: signal, si_code, si_addr, trap number, error code, where rip stands, resume and trap flag, selectors.
   Source: Intel SDM volume 3, chapter 6 (exceptions, error codes); sigaction(2); the native run is the reference. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096, RF = 0x10000, TF = 0x100 };

static sigjmp_buf escape;
static int number, code, trap;
static uint64_t address, rip, error, flags, stack, selectors, counter;
/* Pages: 0 read and write, 1 read only, 2 none, 3 unmapped, 4 read and write and 5 unmapped, for code. */
static uint8_t *pages;

/* The kernel leaves the alignment check flag to handlers. */
static void no_alignment_check(void) {
  __asm__ volatile("pushf\n\tandl $0xfffbffff, (%%rsp)\n\tpopf" : : : "cc", "memory");
}

static void on_signal(int signal, siginfo_t *info, void *context) {
  no_alignment_check();
  const greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
  number = signal;
  code = info->si_code;
  address = (uint64_t)info->si_addr;
  rip = (uint64_t)g[REG_RIP];
  error = (uint64_t)g[REG_ERR];
  trap = (int)g[REG_TRAPNO];
  flags = (uint64_t)g[REG_EFL];
  stack = (uint64_t)g[REG_RSP];
  counter = (uint64_t)g[REG_RCX];
  selectors = (uint64_t)g[REG_CSGSFS];
  siglongjmp(escape, 1);
}

/* The instruction under NAME_at, with rdi and rax the address of the pages. The function's end is a target of jumps. */
#define STOPS(name, before, text)                                                                                      \
  void name(void *pages);                                                                                              \
  void name##_at(void);                                                                                                \
  __asm__(".pushsection .text\n.globl " #name ", " #name "_at\n.type " #name ", @function\n" #name ":\n\tpush "        \
          "%rbx\n\tpush %rbp\n\tmov %rsp, %rbp\n\tmov %rdi, %rax\n\tcld\n\t" before "\n" #name "_at:\n\t" text         \
          "\n" #name "_end:\n\tmov %rbp, %rsp\n\tpop %rbp\n\tpop %rbx\n\tret\n.popsection")
#define NOTHING "nop"

STOPS(int_0, NOTHING, "int $0");
STOPS(int_1, NOTHING, "int $1");
STOPS(int_2, NOTHING, "int $2");
STOPS(int_3, NOTHING, ".byte 0xcd, 3");
STOPS(int_4, NOTHING, "int $4");
STOPS(int_6, NOTHING, "int $6");
STOPS(int_14, NOTHING, "int $14");
STOPS(int_20, NOTHING, "int $0x20");
STOPS(int_ff, NOTHING, "int $0xff");
STOPS(int3, NOTHING, "int3");
STOPS(into, NOTHING, ".byte 0xce");
STOPS(bound, NOTHING, ".byte 0x62, 0x08");
STOPS(ud0, NOTHING, ".byte 0x0f, 0xff, 0xc0");
STOPS(ud1, NOTHING, ".byte 0x0f, 0xb9, 0x00");
STOPS(ud2, NOTHING, "ud2");
STOPS(lea_register, NOTHING, ".byte 0x8d, 0xc0");
STOPS(mov_cs, NOTHING, ".byte 0x8e, 0xc8");
STOPS(mov_seg_7, NOTHING, ".byte 0x8e, 0xf8");
STOPS(lock_nop, NOTHING, ".byte 0xf0, 0x90");
STOPS(lock_cmp, NOTHING, ".byte 0xf0, 0x39, 0x08");
STOPS(load_high, "mov $0x800000000000, %rax", "mov (%rax), %rcx");
STOPS(store_high, "mov $0x8000000000000000, %rax", "mov %rcx, (%rax)");
STOPS(load_crosses, "mov $0x7ffffffffffc, %rax", "mov (%rax), %rcx");
STOPS(load_kernel, "mov $0xffff800000000000, %rax", "mov (%rax), %rcx");
STOPS(store_kernel, "mov $-8, %rax", "mov %rcx, (%rax)");
STOPS(load_wraps, "mov $-4, %rax", "mov (%rax), %rcx");
STOPS(push_high, "mov $0x800000000000, %rsp", "push %rax");
STOPS(pop_high, "mov $0x900000000000, %rsp", "pop %rcx");
STOPS(load_by_rsp, "mov $0x900000000000, %rsp", "mov 8(%rsp), %rcx");
STOPS(load_by_rbp, "mov %rbp, %rbx\n\tmov $0x900000000000, %rbp", "mov 8(%rbp), %rcx");
STOPS(call_stack_high, "mov $0x900000000000, %rsp", "call .+5");
STOPS(ret_stack_high, "mov $0x900000000000, %rsp", "ret");
STOPS(leave_high, "mov $0x900000000000, %rbp", "leave");
STOPS(jump_high, "mov $0x900000000000, %rax", "jmp *%rax");
STOPS(ret_high, "mov $0x900000000000, %rax\n\tpush %rax", "ret");
STOPS(load_none, "add $2*4096+8, %rax", "mov (%rax), %ecx");
STOPS(store_none, "add $2*4096+8, %rax", "mov %ecx, (%rax)");
STOPS(load_unmapped, "add $3*4096+8, %rax", "mov (%rax), %ecx");
STOPS(store_unmapped, "add $3*4096+8, %rax", "mov %ecx, (%rax)");
STOPS(store_read_only, "add $4096+8, %rax", "movb $1, (%rax)");
STOPS(add_read_only, "add $4096+8, %rax", "lock addq $1, (%rax)");
STOPS(load_into_none, "add $2*4096-2, %rax", "mov (%rax), %rcx");
STOPS(store_into_read_only, "add $4096-2, %rax", "mov %rcx, (%rax)");
STOPS(jump_data, NOTHING, "jmp *%rax");
STOPS(jump_unmapped, "add $3*4096+5, %rax", "jmp *%rax");
STOPS(fetch_crosses, "add $5*4096-2, %rax\n\tmovw $0xb848, (%rax)", "jmp *%rax");
STOPS(bts_unmapped, "mov $8*3*4096, %ecx", "bts %rcx, (%rax)");
STOPS(cmpxchg_read_only, "add $4096, %rax", "lock cmpxchg %rcx, (%rax)");
STOPS(enter_none, "lea 2*4096+8(%rax), %rsp", "enter $4000, $0");
STOPS(clflush_none, "add $3*4096, %rax", "clflush (%rax)");
STOPS(prefetch_none, "add $3*4096, %rax", "prefetcht0 (%rax)");
STOPS(xlat_none, "lea 3*4096(%rax), %rbx\n\tmov $5, %eax", "xlat");
STOPS(rep_movs, "lea 100(%rax), %rsi\n\tlea 4096-5(%rax), %rdi\n\tmov $20, %ecx", "rep movsb");
STOPS(rep_stos, "lea 4096-64(%rax), %rdi\n\tmov $20, %ecx", "rep stosq");
STOPS(rep_movs_down, "lea 100(%rax), %rsi\n\tlea 2*4096(%rax), %rdi\n\tmov $20, %ecx\n\tstd", "rep movsb");
STOPS(rep_lods, "lea 2*4096-40(%rax), %rsi\n\tmov $20, %ecx", "rep lodsq");
STOPS(repe_cmps, "lea 2*4096-40(%rax), %rsi\n\tlea 4096(%rax), %rdi\n\tmov $20, %ecx", "repe cmpsq");
STOPS(movaps_1, "add $1, %rax", "movaps (%rax), %xmm0");
STOPS(paddd_8, "add $8, %rax", "paddd (%rax), %xmm0");
STOPS(movntps_4, "add $4, %rax", "movntps %xmm0, (%rax)");
STOPS(movaps_1_none, "add $3*4096+1, %rax", "movaps (%rax), %xmm0");
STOPS(fxsave_8, "add $8, %rax", "fxsave (%rax)");
STOPS(cmpxchg16b_8, "add $8, %rax\n\tmov %rax, %rsi", "cmpxchg16b (%rsi)");
STOPS(ldmxcsr_bits, "movl $0x10000, (%rax)", "ldmxcsr (%rax)");
STOPS(too_long, NOTHING, ".fill 15, 1, 0x66\n\tnop");
STOPS(longest, NOTHING, ".fill 14, 1, 0x66\n\tnop\n\tud2");
STOPS(hlt, NOTHING, "hlt");
STOPS(cli, NOTHING, "cli");
STOPS(sti, NOTHING, "sti");
STOPS(in_al, NOTHING, "in $0x60, %al");
STOPS(outs, "mov %rax, %rsi", "rep outsb");
STOPS(rdmsr, NOTHING, "rdmsr");
STOPS(wrmsr, NOTHING, "wrmsr");
STOPS(clts, NOTHING, "clts");
STOPS(invd, NOTHING, "invd");
STOPS(wbinvd, NOTHING, "wbinvd");
STOPS(invlpg, NOTHING, "invlpg (%rax)");
STOPS(swapgs, NOTHING, "swapgs");
STOPS(sysretl, NOTHING, ".byte 0x0f, 0x07");
STOPS(lgdt, NOTHING, "lgdt (%rax)");
STOPS(lldt, NOTHING, "lldt %ax");
STOPS(lmsw, NOTHING, "lmsw %ax");
STOPS(mov_cr0, NOTHING, "mov %cr0, %rcx");
STOPS(mov_cr8, NOTHING, "mov %cr8, %rcx");
STOPS(mov_dr7, NOTHING, "mov %dr7, %rcx");
STOPS(mov_cr1, NOTHING, ".byte 0x0f, 0x20, 0xc8");
STOPS(monitor, NOTHING, ".byte 0x0f, 0x01, 0xc8");
STOPS(rsm, NOTHING, ".byte 0x0f, 0xaa");
STOPS(mov_ss_0, "xor %ecx, %ecx", "mov %ecx, %ss");
STOPS(mov_ss_33, "mov $0x33, %ecx", "mov %ecx, %ss");
STOPS(mov_ds_10, "mov $0x10, %ecx", "mov %ecx, %ds");
STOPS(mov_es_ldt, "mov $0x7, %ecx", "mov %ecx, %es");
STOPS(pop_gs_far, "push $0x1238", "pop %gs");
STOPS(lss_23, "movq $0, (%rax)\n\tmovw $0x23, 4(%rax)", "lss (%rax), %ecx");
#define FAR_POINTER(selector)                                                                                          \
  "lea 99f(%rip), %rcx\n\tmov %ecx, (%rax)\n\tmovw $" #selector ", 4(%rax)"
#define LABEL "\n99:\tud2"
STOPS(ljmp_33, FAR_POINTER(0x33), "ljmp *(%rax)\n\tint3" LABEL);
STOPS(ljmp_30, FAR_POINTER(0x30), "ljmp *(%rax)\n\tint3" LABEL);
STOPS(ljmp_2b, FAR_POINTER(0x2b), "ljmp *(%rax)\n\tint3" LABEL);
STOPS(ljmp_0, FAR_POINTER(0), "ljmp *(%rax)\n\tint3" LABEL);
STOPS(ljmp_3, FAR_POINTER(3), "ljmp *(%rax)\n\tint3" LABEL);
STOPS(ljmp_10, FAR_POINTER(0x10), "ljmp *(%rax)\n\tint3" LABEL);
STOPS(ljmp_37, FAR_POINTER(0x37), "ljmp *(%rax)\n\tint3" LABEL);
STOPS(ljmp_fff8, FAR_POINTER(0xfff8), "ljmp *(%rax)\n\tint3" LABEL);
STOPS(ljmp_none, "add $3*4096, %rax", "ljmp *(%rax)");
STOPS(lcall_33, FAR_POINTER(0x33), "lcall *(%rax)\n98:\tint3\n99:\tmov 4(%rsp), %ecx\n\tlea 98b(%rip), %rax\n\tsub (%rsp), %eax\n\tshl $16, %eax\n\tadd %rax, %rcx\n\tmov %rsp, %rax\n\tsub %rbp, %rax\n\tud2");
STOPS(lcall_10, FAR_POINTER(0x10), "lcall *(%rax)\n\tint3" LABEL);
STOPS(lretq_33, "push $0x33\n\tlea 99f(%rip), %rcx\n\tpush %rcx", "rex.w lret\n\tint3" LABEL);
STOPS(lretq_imm, "push $0x33\n\tlea 99f(%rip), %rcx\n\tpush %rcx", "rex.w lret $16\n\tint3\n99:\tmov %rsp, %rcx\n\tsub %rbp, %rcx\n\tud2");
STOPS(lretq_30, "push $0x30\n\tlea 99f(%rip), %rcx\n\tpush %rcx", "rex.w lret\n\tint3" LABEL);
STOPS(lretq_0, "push $0\n\tlea 99f(%rip), %rcx\n\tpush %rcx", "rex.w lret\n\tint3" LABEL);
STOPS(lretq_2b, "push $0x2b\n\tlea 99f(%rip), %rcx\n\tpush %rcx", "rex.w lret\n\tint3" LABEL);
STOPS(lretq_high, "push $0x33\n\tmov $0x900000000000, %rcx\n\tpush %rcx", "rex.w lret\n\tint3" LABEL);
STOPS(lretl_33, "sub $8, %rsp\n\tlea 99f(%rip), %rcx\n\tmov %ecx, (%rsp)\n\tmovl $0x33, 4(%rsp)", "lretl\n\tint3\n99:\tmov %rsp, %rcx\n\tsub %rbp, %rcx\n\tud2");
#define IRET(cs, eflags, ss)                                                                                           \
  "mov %rsp, %rcx\n\tpush $" #ss "\n\tpush %rcx\n\tpush $" #eflags "\n\tpush $" #cs "\n\tlea 99f(%rip), %rcx\n\tpush " \
  "%rcx"
STOPS(iretq_33, IRET(0x33, 0x8d7, 0x2b), "iretq\n\tint3\n99:\tmov %rsp, %rcx\n\tsub %rbp, %rcx\n\tud2");
STOPS(iretq_iopl, IRET(0x33, 0x43202, 0x2b), "iretq\n\tint3\n99:\tpushf\n\tpop %rcx\n\tpush $0x202\n\tpopf\n\tud2");
STOPS(iretq_cs_0, IRET(0, 0x202, 0x2b), "iretq\n\tint3" LABEL);
STOPS(iretq_cs_30, IRET(0x30, 0x202, 0x2b), "iretq\n\tint3" LABEL);
STOPS(iretq_cs_2b, IRET(0x2b, 0x202, 0x2b), "iretq\n\tint3" LABEL);
STOPS(iretq_ss_0, IRET(0x33, 0x202, 0), "iretq\n\tint3" LABEL);
STOPS(iretq_ss_33, IRET(0x33, 0x202, 0x33), "iretq\n\tint3" LABEL);
STOPS(iretq_ss_10, IRET(0x33, 0x202, 0x10), "iretq\n\tint3" LABEL);
STOPS(iretq_none, "lea 3*4096(%rax), %rsp", "iretq");
STOPS(iretq_high, "push $0x2b\n\tpush %rsp\n\tpush $0x202\n\tpush $0x33\n\tmov $0x900000000000, %rcx\n\tpush %rcx", "iretq");
STOPS(iretl_33, "mov %rsp, %rcx\n\tsub $20, %rsp\n\tmovl $0x2b, 16(%rsp)\n\tlea 64(%rax), %rcx\n\tmov %ecx, 12(%rsp)\n\tmovl $0x202, 8(%rsp)\n\tmovl $0x33, 4(%rsp)\n\tlea 99f(%rip), %rcx\n\tmov %ecx, (%rsp)", "iretl\n\tint3\n99:\tlea 64(%rax), %rcx\n\tsub %rsp, %rcx\n\tud2");
STOPS(iretq_nt, "push $0x4202\n\tpopf\n\t" IRET(0x33, 0x202, 0x2b), "iretq\n\tint3" LABEL);
STOPS(ac_load, "push $0x40202\n\tpopf\n\tadd $1, %rax", "mov (%rax), %ecx");
STOPS(ac_store, "push $0x40202\n\tpopf\n\tadd $4, %rax", "mov %rcx, (%rax)");
STOPS(ac_aligned, "push $0x40202\n\tpopf\n\tadd $4, %rax", "mov %ecx, (%rax)\n\tmovb %cl, 1(%rax)\n\tud2");
STOPS(ac_word, "push $0x40202\n\tpopf\n\tadd $3, %rax", "addw $1, (%rax)");
STOPS(ac_push, "push $0x40202\n\tpopf\n\tsub $2, %rsp", "push %rax");
STOPS(ac_movups, "push $0x40202\n\tpopf\n\tadd $8, %rax", "movups (%rax), %xmm0\n\tadd $4, %rax\n\tmovups (%rax), %xmm0\n\tud2");
STOPS(ac_none, "push $0x40202\n\tpopf\n\tadd $3*4096+1, %rax", "mov (%rax), %ecx");
STOPS(ac_movaps, "push $0x40202\n\tpopf\n\tadd $4, %rax", "movaps (%rax), %xmm0");
STOPS(ac_fldt, "push $0x40202\n\tpopf\n\tadd $4, %rax", "fldt (%rax)");
STOPS(ac_fldt_8, "push $0x40202\n\tpopf\n\tadd $8, %rax", "fldt (%rax)\n\tud2");
STOPS(ac_fbld, "push $0x40202\n\tpopf\n\tadd $4, %rax", "fbld (%rax)");
STOPS(ac_fnstenv, "push $0x40202\n\tpopf\n\tadd $2, %rax", "fnstenv (%rax)");
STOPS(ac_fnstenv_16, "push $0x40202\n\tpopf\n\tadd $2, %rax", "data16 fnstenv (%rax)\n\tud2");
STOPS(ac_lgs, "push $0x40202\n\tpopf\n\tadd $2, %rax", "lgsl (%rax), %ecx");
STOPS(ac_lgs_16, "push $0x40202\n\tpopf\n\tmovl $0, (%rax)\n\tmovl $0, 4(%rax)\n\tadd $2, %rax", "lgsw (%rax), %cx\n\tud2");
STOPS(ac_maskmov, "push $0x40202\n\tpopf\n\tlea 4(%rax), %rdi\n\tpxor %xmm0, %xmm0", "maskmovdqu %xmm0, %xmm0");
STOPS(ac_maskmov_8, "push $0x40202\n\tpopf\n\tlea 8(%rax), %rdi\n\tpxor %xmm0, %xmm0", "maskmovdqu %xmm0, %xmm0\n\tud2");
STOPS(ac_maskmovq, "push $0x40202\n\tpopf\n\tlea 4(%rax), %rdi\n\tpxor %mm0, %mm0", "maskmovq %mm0, %mm0");
STOPS(jump_kernel, "mov $0xffff800000000000, %rcx", "jmp *%rcx");
STOPS(jump_top, "mov $-1, %rcx", "jmp *%rcx");
STOPS(call_kernel, "mov $0xffff800000000000, %rcx", "call *%rcx");
STOPS(call_kernel_none, "mov $0xffff800000000000, %rcx\n\tlea 3*4096(%rax), %rsp", "call *%rcx");
STOPS(ret_kernel, "mov $0xffff800000000000, %rcx\n\tpush %rcx", "ret");
STOPS(ret_imm_kernel, "mov $0xffff800000000000, %rcx\n\tpush %rcx", "ret $16");
STOPS(lretq_kernel, "push $0x33\n\tmov $0xffff800000000000, %rcx\n\tpush %rcx", "rex.w lret");
STOPS(iretq_kernel, "push $0x2b\n\tpush %rsp\n\tpush $0x246\n\tpush $0x33\n\tmov $0xffff800000000000, %rcx\n\tpush %rcx", "iretq");
STOPS(call_high, "mov $0x900000000000, %rcx", "call *%rcx");
STOPS(div_0, "xor %ecx, %ecx", "div %rcx");
STOPS(fp_unmasked, "fninit\n\tpushq $0x37b\n\tfldcw (%rsp)\n\tfld1\n\tfldz\n\tfdivrp", "fwait");

#define ROW(name)                                                                                                      \
  { #name, name, name##_at }
static const struct {
  const char *name;
  void (*fn)(void *);
  void (*at)(void);
} rows[] = {
    ROW(int_0),         ROW(int_1),        ROW(int_2),         ROW(int_3),        ROW(int_4),
    ROW(int_6),         ROW(int_14),       ROW(int_20),        ROW(int_ff),       
    ROW(int3),          ROW(into),         ROW(bound),         ROW(ud0),          ROW(ud1),
    ROW(ud2),           ROW(lea_register), ROW(mov_cs),        ROW(mov_seg_7),    ROW(lock_nop),
    ROW(lock_cmp),      ROW(load_high),    ROW(store_high),    ROW(load_crosses), ROW(load_kernel),
    ROW(store_kernel),  ROW(load_wraps),   ROW(push_high),     ROW(pop_high),     ROW(load_by_rsp),
    ROW(load_by_rbp),   ROW(call_stack_high), ROW(ret_stack_high), ROW(leave_high), ROW(jump_high),
       ROW(ret_high),     ROW(load_none),     ROW(store_none),   ROW(load_unmapped),
    ROW(store_unmapped), ROW(store_read_only), ROW(add_read_only), ROW(load_into_none), ROW(store_into_read_only),
    ROW(jump_data),     ROW(jump_unmapped), ROW(fetch_crosses), ROW(bts_unmapped), ROW(cmpxchg_read_only),
    ROW(enter_none),    ROW(clflush_none), ROW(prefetch_none), ROW(xlat_none),    ROW(rep_movs),
    ROW(rep_stos),      ROW(rep_movs_down), ROW(rep_lods),     ROW(repe_cmps),    ROW(movaps_1),
    ROW(paddd_8),       ROW(movntps_4),    ROW(movaps_1_none), ROW(fxsave_8),     ROW(cmpxchg16b_8),
    ROW(ldmxcsr_bits),  ROW(too_long),     ROW(longest),       ROW(hlt),          ROW(cli),
    ROW(sti),           ROW(in_al),        ROW(outs),          ROW(rdmsr),        ROW(wrmsr),
    ROW(clts),          ROW(invd),         ROW(wbinvd),        ROW(invlpg),       ROW(swapgs),
    ROW(sysretl),       ROW(lgdt),         ROW(lldt),          ROW(lmsw),         ROW(mov_cr0),
    ROW(mov_cr8),       ROW(mov_dr7),      ROW(mov_cr1),       ROW(monitor),      ROW(rsm),
    ROW(mov_ss_0),      ROW(mov_ss_33),    ROW(mov_ds_10),     ROW(mov_es_ldt),   ROW(pop_gs_far),
    ROW(lss_23),        ROW(ljmp_33),      ROW(ljmp_30),       ROW(ljmp_2b),      ROW(ljmp_0),
    ROW(ljmp_3),        ROW(ljmp_10),      ROW(ljmp_37),       ROW(ljmp_fff8),    ROW(ljmp_none),
    ROW(lcall_33),      ROW(lcall_10),     ROW(lretq_33),      ROW(lretq_imm),    ROW(lretq_30),
    ROW(lretq_0),       ROW(lretq_2b),     ROW(lretq_high),    ROW(lretl_33),     ROW(iretq_33),
    ROW(iretq_iopl),    ROW(iretq_cs_0),   ROW(iretq_cs_30),   ROW(iretq_cs_2b),  ROW(iretq_ss_0),
    ROW(iretq_ss_33),   ROW(iretq_ss_10),  ROW(iretq_none),    ROW(iretq_high),   ROW(iretl_33),
    ROW(iretq_nt),      ROW(ac_load),      ROW(ac_store),      ROW(ac_aligned),   ROW(ac_word),
    ROW(ac_push),       ROW(ac_movups),    ROW(ac_none),       ROW(div_0),        ROW(fp_unmasked),
    ROW(ac_movaps), ROW(ac_fldt), ROW(ac_fldt_8), ROW(ac_fbld),
    ROW(ac_fnstenv), ROW(ac_fnstenv_16), ROW(ac_lgs), ROW(ac_lgs_16),
    ROW(ac_maskmov), ROW(ac_maskmov_8), ROW(ac_maskmovq), ROW(jump_kernel),
    ROW(jump_top), ROW(call_kernel), ROW(call_kernel_none), ROW(ret_kernel),
    ROW(ret_imm_kernel), ROW(lretq_kernel), ROW(iretq_kernel), ROW(call_high),
};

static void make_pages(void) {
  uint8_t *wanted = (uint8_t *)0x31000000;
  pages = mmap(wanted, 6 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  memset(pages, 1, 6 * PAGE); /* all are present: error codes tell */
  mprotect(pages + PAGE, PAGE, PROT_READ);
  mprotect(pages + 2 * PAGE, PAGE, PROT_NONE);
  munmap(pages + 3 * PAGE, PAGE);
  mprotect(pages + 4 * PAGE, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
  munmap(pages + 5 * PAGE, PAGE);
}

/* An address by what it lies in. */
static const char *place(char *text, uint64_t a, uint64_t at) {
  if (a >= at - 128 && a < at + 128)
    sprintf(text, "at%+d", (int)(a - at));
  else if (a >= (uint64_t)pages && a < (uint64_t)pages + 6 * PAGE)
    sprintf(text, "page %d + %d", (int)((a - (uint64_t)pages) / PAGE), (int)((a - (uint64_t)pages) % PAGE));
  else if (a >= stack - PAGE && a < stack + PAGE)
    sprintf(text, "rsp%+d", (int)(a - stack));
  else
    sprintf(text, "%#llx", (unsigned long long)a);
  return text;
}

int main(int argc, char **argv) {
  static uint8_t alternative[65536];
  static const int all[] = {SIGFPE, SIGILL, SIGTRAP, SIGSEGV, SIGBUS};
  stack_t ss = {.ss_sp = alternative, .ss_size = sizeof alternative};
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  setvbuf(stdout, NULL, _IOLBF, 0);
  sigaltstack(&ss, NULL);
  for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
    sigaction(all[i], &action, NULL);
  make_pages();
  for (volatile unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
    char a[32], r[32];
    if (argc > 1 && !strstr(rows[i].name, argv[1]))
      continue;
    number = 0;
    memset(pages, 0, PAGE);
    if (sigsetjmp(escape, 1) == 0)
      rows[i].fn(pages);
    if (number == 0) {
      printf("%-20s nothing\n", rows[i].name);
      continue;
    }
    uint64_t at = (uint64_t)rows[i].at;
    printf("%-20s %s code %d addr %s trapno %d err %#llx rip %s%s%s cs %x ss %x", rows[i].name, strsignal(number),
           code, place(a, address, at), trap, (unsigned long long)error, place(r, rip, at), flags & RF ? " RF" : "",
           flags & TF ? " TF" : "", (unsigned)(selectors & 0xffff), (unsigned)(selectors >> 48));
    if (counter < 0x100000)
      printf(" rcx %llx", (unsigned long long)counter);
    printf("\n");
  }
  return 0;
}
