/* Times one row a call by a library's C interface, with no Python in between.
 *
 *     one_row lleaves  LIBRARY ROWS N_ROWS N_FEATURES MS ANSWERS
 *     one_row lightgbm LIBRARY ROWS N_ROWS N_FEATURES MS ANSWERS MODEL
 *     one_row xgboost  LIBRARY ROWS N_ROWS N_FEATURES MS ANSWERS MODEL
 *
 * ROWS is a file of f32, row by row; a call takes the next row, round and round. Every row's answer goes to ANSWERS
 * as f64 before anything is timed. Prints the median and the 99th percentile of a call in nanoseconds, as JSON.
 * The few functions that are called are declared here: the libraries come from PyPI, which has no headers. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void fail(const char *what, const char *why) {
  fprintf(stderr, "one_row: %s: %s\n", what, why);
  exit(1);
}

static void *library;

static void *find(const char *name) {
  void *found = dlsym(library, name);
  if (!found) fail(name, dlerror());
  return found;
}

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static size_t n_features;

/* lleaves: what it compiles is a function over rows of f64. */
static void (*forest)(const double *rows, double *out, int32_t start, int32_t end);

static double by_lleaves(const float *row) {
  double wide[512], out;
  for (size_t i = 0; i < n_features; i++) wide[i] = row[i];
  forest(wide, &out, 0, 1);
  return out;
}

/* LightGBM: its interface for single rows that keeps its settings. */
static void *fast;
static int (*lightgbm_row)(void *fast, const void *row, int64_t *length, double *out);

static double by_lightgbm(const float *row) {
  int64_t length;
  double out[8];
  if (lightgbm_row(fast, row, &length, out)) fail("LightGBM", "a prediction failed");
  return out[0];
}

static void open_lightgbm(const char *model) {
  int (*load)(const char *, int *, void **) = find("LGBM_BoosterCreateFromModelfile");
  int (*prepare)(void *, int, int, int, int, int32_t, const char *, void **) =
      find("LGBM_BoosterPredictForMatSingleRowFastInit");
  void *booster;
  int n_iterations, answers = 0, f32 = 0;
  if (load(model, &n_iterations, &booster) ||
      prepare(booster, answers, 0, 0, f32, (int32_t)n_features, "num_threads=1", &fast))
    fail("LightGBM", "the model cannot be opened");
  lightgbm_row = find("LGBM_BoosterPredictForMatSingleRowFast");
}

/* XGBoost: prediction in place, from an array that a text describes. */
static void *booster;
static int (*xgboost_rows)(void *, const char *, const char *, void *, const uint64_t **, uint64_t *, const float **);

static double by_xgboost(const float *row) {
  char array[256];
  snprintf(array, sizeof array, "{\"data\":[%" PRIuPTR ",true],\"shape\":[1,%zu],\"typestr\":\"<f4\",\"version\":3}",
           (uintptr_t)row, n_features);
  const uint64_t *shape;
  uint64_t n_dimensions;
  const float *out;
  if (xgboost_rows(booster, array,
                   "{\"type\":0,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,"
                   "\"strict_shape\":false,\"cache_id\":0,\"missing\":NaN}",
                   NULL, &shape, &n_dimensions, &out))
    fail("XGBoost", "a prediction failed");
  return out[0];
}

static void open_xgboost(const char *model) {
  int (*create)(void *, uint64_t, void **) = find("XGBoosterCreate");
  int (*load)(void *, const char *) = find("XGBoosterLoadModel");
  int (*set)(void *, const char *, const char *) = find("XGBoosterSetParam");
  if (create(NULL, 0, &booster) || load(booster, model) || set(booster, "nthread", "1"))
    fail("XGBoost", "the model cannot be opened");
  xgboost_rows = find("XGBoosterPredictFromDense");
}

static int earlier(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  if (argc < 8) fail("arguments", "see the first lines of one_row.c");
  const char *who = argv[1];
  size_t n_rows = strtoull(argv[4], NULL, 10);
  n_features = strtoull(argv[5], NULL, 10);
  if (n_features > 512 || n_rows == 0) fail("arguments", "1 row or more of at most 512 features");

  float *rows = malloc(n_rows * n_features * sizeof *rows);
  double *answers = malloc(n_rows * sizeof *answers);
  FILE *file = fopen(argv[3], "rb");
  if (!rows || !answers || !file || fread(rows, sizeof *rows * n_features, n_rows, file) != n_rows)
    fail(argv[3], "cannot be read");
  fclose(file);

  library = dlopen(argv[2], RTLD_NOW | RTLD_GLOBAL);
  if (!library) fail(argv[2], dlerror());
  double (*answer)(const float *);
  if (!strcmp(who, "lleaves")) {
    forest = find("forest_root");
    answer = by_lleaves;
  } else if (!strcmp(who, "lightgbm") && argc == 9) {
    open_lightgbm(argv[8]);
    answer = by_lightgbm;
  } else if (!strcmp(who, "xgboost") && argc == 9) {
    open_xgboost(argv[8]);
    answer = by_xgboost;
  } else {
    fail(who, "not known, or without a model");
    return 1;
  }

  for (size_t i = 0; i < n_rows; i++) answers[i] = answer(rows + i * n_features);
  file = fopen(argv[7], "wb");
  if (!file || fwrite(answers, sizeof *answers, n_rows, file) != n_rows || fclose(file)) fail(argv[7], "cannot be written");

  enum { MOST = 1000000 };
  int64_t *took = malloc(MOST * sizeof *took);
  size_t n = 0;
  int64_t end = now() + strtoll(argv[6], NULL, 10) * 1000000;
  do {
    const float *row = rows + n % n_rows * n_features;
    int64_t start = now();
    volatile double kept = answer(row);
    (void)kept;
    took[n++] = now() - start;
  } while (n < MOST && now() < end);
  qsort(took, n, sizeof *took, earlier);
  printf("{\"p50\": %" PRId64 ", \"p99\": %" PRId64 ", \"calls\": %zu}\n", took[n / 2], took[n * 99 / 100], n);
  return 0;
}
