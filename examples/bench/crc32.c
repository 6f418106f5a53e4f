/* Benchmark: CRC-32 by table, a byte at a time and four at a time: dependent loads. Polynomial of IEEE 802.3. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES = 65536 };

static uint32_t tables[4][256];
static uint8_t data[BYTES];

int main(int argc, char **argv) {
  int repeat = argc > 1 ? atoi(argv[1]) : 1900;
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; bit++)
      crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    tables[0][i] = crc;
  }
  for (int t = 1; t < 4; t++)
    for (uint32_t i = 0; i < 256; i++)
      tables[t][i] = tables[t - 1][i] >> 8 ^ tables[0][tables[t - 1][i] & 255];
  for (int i = 0; i < BYTES; i++)
    data[i] = (uint8_t)(i * 31 + (i >> 7));

  uint32_t bytewise = 0xffffffffu, wordwise = 0xffffffffu;
  for (int r = 0; r < repeat; r++) {
    for (int i = 0; i < BYTES; i++)
      bytewise = bytewise >> 8 ^ tables[0][(bytewise ^ data[i]) & 255];
    for (int i = 0; i < BYTES; i += 4) {
      uint32_t word;
      memcpy(&word, data + i, 4);
      wordwise ^= word;
      wordwise = tables[3][wordwise & 255] ^ tables[2][wordwise >> 8 & 255] ^ tables[1][wordwise >> 16 & 255] ^
                 tables[0][wordwise >> 24];
    }
  }
  printf("crc32 %d: %08x %08x\n", repeat, ~bytewise, ~wordwise);
  return bytewise != wordwise;
}
