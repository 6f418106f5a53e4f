/* Benchmark: a bytecode machine with a switch: one indirect jump an instruction, many targets.
   Its program counts primes by trial division. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum op {
  PUSH,
  LOAD,
  STORE,
  ADD,
  SUB,
  MUL,
  REMAINDER,
  LESS,
  EQUAL,
  NOT,
  JUMP,
  JUMP_IF,
  DUPLICATE,
  DROP,
  SWAP,
  EMIT,
  HALT
};
enum variable { CANDIDATE, DIVISOR, COUNT, LIMIT, VARIABLES };

struct instruction {
  enum op op;
  int32_t operand;
};

enum { NEXT = 4, TRY = 11, PRIME = 30, ADVANCE = 38, DONE = 43 };

static const struct instruction program[] = {
    [0] = {PUSH, 2},
    {STORE, CANDIDATE},
    {PUSH, 0},
    {STORE, COUNT},
    [NEXT] = {LOAD, CANDIDATE},
    {LOAD, LIMIT},
    {LESS, 0},
    {NOT, 0},
    {JUMP_IF, DONE},
    [9] = {PUSH, 2},
    {STORE, DIVISOR},
    [TRY] = {LOAD, DIVISOR},
    {DUPLICATE, 0},
    {MUL, 0},
    {LOAD, CANDIDATE},
    {SWAP, 0},
    {LESS, 0},
    {JUMP_IF, PRIME},
    [18] = {LOAD, CANDIDATE},
    {LOAD, DIVISOR},
    {REMAINDER, 0},
    {PUSH, 0},
    {EQUAL, 0},
    {JUMP_IF, ADVANCE},
    [24] = {LOAD, DIVISOR},
    {PUSH, 1},
    {ADD, 0},
    {DUPLICATE, 0},
    {STORE, DIVISOR},
    {JUMP, 47},
    [PRIME] = {LOAD, COUNT},
    {PUSH, -1},
    {SUB, 0},
    {STORE, COUNT},
    {LOAD, CANDIDATE},
    {EMIT, 0},
    [36] = {PUSH, 0},
    {DROP, 0},
    [ADVANCE] = {LOAD, CANDIDATE},
    {PUSH, 1},
    {ADD, 0},
    {STORE, CANDIDATE},
    {JUMP, NEXT},
    [DONE] = {LOAD, COUNT},
    {EMIT, 0},
    {LOAD, COUNT},
    {HALT, 0},
    [47] = {DROP, 0},
    {JUMP, TRY},
};

static int64_t run(const struct instruction *code, int64_t limit, uint64_t *emitted) {
  int64_t stack[16], variables[VARIABLES] = {[LIMIT] = limit};
  int64_t *sp = stack;
  for (const struct instruction *pc = code;;) {
    int32_t operand = pc->operand;
    switch (pc++->op) {
    case PUSH:
      *sp++ = operand;
      break;
    case LOAD:
      *sp++ = variables[operand];
      break;
    case STORE:
      variables[operand] = *--sp;
      break;
    case ADD:
      sp--;
      sp[-1] += *sp;
      break;
    case SUB:
      sp--;
      sp[-1] -= *sp;
      break;
    case MUL:
      sp--;
      sp[-1] *= *sp;
      break;
    case REMAINDER:
      sp--;
      sp[-1] %= *sp;
      break;
    case LESS:
      sp--;
      sp[-1] = sp[-1] < *sp;
      break;
    case EQUAL:
      sp--;
      sp[-1] = sp[-1] == *sp;
      break;
    case NOT:
      sp[-1] = !sp[-1];
      break;
    case JUMP:
      pc = code + operand;
      break;
    case JUMP_IF:
      if (*--sp)
        pc = code + operand;
      break;
    case DUPLICATE:
      *sp = sp[-1];
      sp++;
      break;
    case DROP:
      sp--;
      break;
    case SWAP: {
      int64_t top = sp[-1];
      sp[-1] = sp[-2];
      sp[-2] = top;
      break;
    }
    case EMIT:
      *emitted = *emitted * 31 + (uint64_t) * --sp;
      break;
    case HALT:
      return sp[-1];
    }
  }
}

int main(int argc, char **argv) {
  int repeat = argc > 1 ? atoi(argv[1]) : 47;
  uint64_t emitted = 0;
  int64_t primes = 0;
  for (int r = 0; r < repeat; r++)
    primes += run(program, 20000 + r, &emitted);
  printf("interpreter %d: %lld primes, %016llx\n", repeat, (long long)primes, (unsigned long long)emitted);
  return 0;
}
