/* What this core can do at best: its clock, and the bytes a cycle it loads from each cache, in registers of 64 bytes
 * where it has them. Prints JSON.
 *
 *     cc -O2 -march=native -o bounds bounds.c && ./bounds
 *
 * The clock is a chain of additions, one a cycle. Bytes are those of a sum over a buffer that fits the cache. The best
 * of many short tries is taken: what else the machine does only makes a try longer. */
#define _GNU_SOURCE
#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TRIES = 400 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Nanoseconds of one addition that waits for the one before. */
static double cycle_ns(void) {
  double best = 1e9;
  for (int try = 0; try < TRIES; try++) {
    enum { N = 100000 };
    uint64_t x = 1, y = 3;
    double start = now();
    for (int i = 0; i < N; i++) __asm__ volatile("add %1, %0\n\tadd %1, %0\n\tadd %1, %0\n\tadd %1, %0" : "+r"(x) : "r"(y));
    double took = (now() - start) / (4.0 * N);
    if (took < best) best = took;
  }
  return best;
}

#ifdef __AVX512F__
typedef __m512i wide;
#define LOAD(p) _mm512_load_si512(p)
#define OR(a, b) _mm512_or_si512(a, b)
#else
typedef __m256i wide;
#define LOAD(p) _mm256_load_si256(p)
#define OR(a, b) _mm256_or_si256(a, b)
#endif

/* Bytes a nanosecond from a buffer of so many KiB. */
static double bytes_per_ns(const char *buffer, size_t kib) {
  size_t n = kib * 1024 / sizeof(wide);
  double best = 0;
  for (int try = 0; try < TRIES; try++) {
    size_t passes = 4096 / kib + 1;
    double start = now();
    for (size_t pass = 0; pass < passes; pass++) {
      const wide *p = (const wide *)buffer;
      wide a = LOAD(p), b = a, c = a, d = a;
      for (size_t i = 0; i + 8 <= n; i += 8) {
        a = OR(a, OR(LOAD(p + i), LOAD(p + i + 1)));
        b = OR(b, OR(LOAD(p + i + 2), LOAD(p + i + 3)));
        c = OR(c, OR(LOAD(p + i + 4), LOAD(p + i + 5)));
        d = OR(d, OR(LOAD(p + i + 6), LOAD(p + i + 7)));
      }
      wide all = OR(OR(a, b), OR(c, d));
      __asm__ volatile("" : : "m"(all) : "memory");
    }
    double rate = passes * n * sizeof(wide) / (now() - start);
    if (rate > best) best = rate;
  }
  return best;
}

int main(void) {
  static const size_t kib[] = {16, 512, 8192};
  static const char *const cache[] = {"l1", "l2", "l3"};
  size_t size = 8192 * 1024;
  char *buffer = aligned_alloc(4096, size);
  if (!buffer) return 1;
  for (size_t i = 0; i < size; i++) buffer[i] = (char)i;
  double cycle = cycle_ns();
  printf("{\"ghz\": %.3f", 1 / cycle);
  for (int i = 0; i < 3; i++)
    printf(", \"%s_bytes_per_cycle\": %.1f", cache[i], bytes_per_ns(buffer, kib[i]) * cycle);
  printf("}\n");
  free(buffer);
  return 0;
}
