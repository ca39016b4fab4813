// SPDX-License-Identifier: Apache-2.0
// What a call of the C client costs its caller: bursts of calls from threads, with pauses between them in which the
// client sends. usage: client_bench URL     a line of JSON for each kind of call; run by the script client
// ns: CPU time of a call, the median of the bursts' means. p99: of single calls by the clock, the clock included.
// background: CPU time of the client's thread, for a record.
#define VIGIE_IMPLEMENTATION
#include "vigie.h"

enum { BURST = 500, BURSTS = 400, FEATURES = 20, MOST_THREADS = 4 };

static vigie_client *client;
static char json[1024];
static int threads, answered;
static double callers[MOST_THREADS];
static double single[MOST_THREADS][BURST * BURSTS], mean[MOST_THREADS * BURSTS];

static void whole(void) { vigie_predict(client, json, 0); }

static void built(void) {
  vigie_record r;
  vigie_begin(client, &r, NULL);
#define FOUR(a) \
  vigie_feature(&r, "feature_" a "0", 1.25), vigie_feature(&r, "feature_" a "1", 2.5), \
      vigie_feature(&r, "feature_" a "2", 41), vigie_feature_text(&r, "feature_" a "3", "category")
  FOUR("0"), FOUR("1"), FOUR("2"), FOUR("3"), FOUR("4");
  vigie_text(&r, "prediction", "yes");
  vigie_number(&r, "score", 0.8125);
  vigie_send(client, &r);
}

static void label(void) { vigie_label(client, "a-prediction-id-0001", "yes"); }

static double nanoseconds(clockid_t which) { return (double)vigie_clock(which, 1000000000); }

static void (*call)(void);

// Until the client has sent so much that nothing need be dropped.
static void rest(void) {
  const struct timespec pause = {0, 2000000};
  vigie_counters c;
  do nanosleep(&pause, NULL), vigie_count(client, &c);
  while (answered && c.waiting > 5000);
}

static void *calls(void *number) {
  const int thread = (int)(intptr_t)number;
  for (int b = 0; b < BURSTS; ++b) {
    rest();
    const double start = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < BURST; ++i) call();
    mean[thread * BURSTS + b] = (nanoseconds(CLOCK_THREAD_CPUTIME_ID) - start) / BURST;
  }
  for (int i = 0; i < BURST * BURSTS; ++i) {
    if (i % BURST == 0) rest();
    const double start = nanoseconds(CLOCK_MONOTONIC);
    call();
    single[thread][i] = nanoseconds(CLOCK_MONOTONIC) - start;
  }
  callers[thread] = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
  return NULL;
}

static int by_size(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void measure(const char *url, const char *name, void (*what)(void), int how_many, size_t queue) {
  vigie_options options;
  memset(&options, 0, sizeof options);
  options.queue_bytes = queue;
  if (!(client = vigie_open(url, "bench", &options))) exit((perror(url), 2));
  call = what, threads = how_many, answered = queue > 1 << 20;
  double background = -nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
  pthread_t running[MOST_THREADS];
  for (int i = 0; i < threads; ++i) pthread_create(&running[i], NULL, calls, (void *)(intptr_t)i);
  for (int i = 0; i < threads; ++i) pthread_join(running[i], NULL);
  vigie_counters c;
  vigie_close(client, 60000, &c);
  background += nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
  for (int i = 0; i < threads; ++i) background -= callers[i];
  const size_t n = (size_t)(threads * BURSTS), all = (size_t)threads * BURST * BURSTS;
  qsort(mean, n, sizeof *mean, by_size);
  qsort(single, all, sizeof(double), by_size);
  const double *sorted = &single[0][0];
  printf("{\"call\": \"%s\", \"threads\": %d, \"ns\": %.0f, \"p99\": %.0f, \"background\": %.0f, "
         "\"sent\": %llu, \"arrived\": %llu}\n",
         name, threads, mean[n / 2], sorted[all * 99 / 100], background / (double)c.sent, (unsigned long long)c.sent,
         (unsigned long long)(c.accepted + c.duplicates));
  fflush(stdout);
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  // 580 bytes, as a record of 20 features has. One id: what is measured is the caller, not the journal.
  size_t n = (size_t)snprintf(json, sizeof json, "{\"id\": \"a-prediction-id-0001\", \"features\": {");
  for (int i = 0; i < FEATURES; ++i)
    n += (size_t)snprintf(json + n, sizeof json - n, "%s\"feature_%02d\": %d.25", i ? ", " : "", i, 1000 + i);
  snprintf(json + n, sizeof json - n, "}, \"prediction\": \"yes\", \"score\": 0.8125, \"latency_ms\": 12.5}");
  measure(argv[1], "vigie_predict, 580 bytes of JSON", whole, 1, 16 << 20);
  measure(argv[1], "vigie_begin to vigie_send, 20 features", built, 1, 16 << 20);
  measure(argv[1], "vigie_label", label, 1, 16 << 20);
  measure(argv[1], "vigie_predict, 580 bytes of JSON", whole, 2, 16 << 20);
  measure(argv[1], "vigie_predict, 580 bytes of JSON", whole, 4, 16 << 20);
  measure("http://127.0.0.1:1", "vigie_predict, the queue is full", whole, 1, 1 << 20);
  return 0;
}
